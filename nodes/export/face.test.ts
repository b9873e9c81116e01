import { expect, it } from "vitest";
import { renderFace } from "../../test/support/renderFace.ts";
import { Face } from "./face.tsx";

it("names the folder and what is wired to lie in it", () => {
  const model = { kind: "model", digest: "0".repeat(64), size: 1 } as const;
  const html = renderFace(Face, {
    params: { name: "fastestdet" },
    upstream: (kind) => (kind === "model" ? model : undefined),
  });
  expect(html).toContain("exports/fastestdet: model.onnx, README.md");
  const engine = renderFace(Face, { params: { name: "fd" }, upstream: () => model });
  expect(engine).toContain("exports/fd: model.engine, README.md");
});
