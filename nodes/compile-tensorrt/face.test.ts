import { expect, it } from "vitest";
import { renderFace } from "../../test/support/renderFace.ts";
import { Face } from "./face.tsx";

const layer = (precision: string) => ({ name: `l-${precision}`, type: "correlation", precision, origins: ["Conv_0"] });
const engine = {
  file: "model-sm86.engine",
  computeCapability: "8.6",
  digest: "e".repeat(64),
  sizeBytes: 3_229_044,
  buildSeconds: 0.31,
  convolutions: { Int8: 69, Half: 1 },
  layerCount: 90,
  layers: [layer("Int8"), layer("Half")],
};
const built = {
  kind: "compile-tensorrt",
  built: true,
  builder: "tensorrt-rtx 1.7.1.116",
  engines: [engine],
  warnings: [],
};

it("tells the precision of the convolutions, size and time", () => {
  const html = renderFace(Face, { report: built });
  expect(html).toContain("3.23 MB for SM 8.6");
  expect(html).toContain("69 convs Int8, 1 convs Half");
});

it("lists layers and offers the engine when opened", () => {
  const html = renderFace(Face, { report: built, large: true });
  expect(html).toContain(`href="/blobs/${engine.digest}" download="model-sm86.engine"`);
  expect(html).toContain("l-Half");
});

it("never looks built where it is a kit", () => {
  const file = { digest: "a".repeat(64), size: 1 };
  const kit = {
    commands: { "10": "trtexec --onnx=model.onnx" },
    files: { "model.onnx": file },
    digest: "b".repeat(64),
    path: "/somewhere/kit",
  };
  const report = { kind: "compile-tensorrt", built: false, builder: "kit", kit, warnings: [] };
  expect(renderFace(Face, { report })).toContain("no engine was built");
  expect(renderFace(Face, { report, large: true })).toContain("trtexec --onnx=model.onnx");
});
