import { expect, it } from "vitest";
import { renderFace } from "../../test/support/renderFace.ts";
import { Face } from "./face.tsx";

it("shows the answers to the first frames side by side, and nothing before a run", () => {
  const html = renderFace(Face, { previews: ["/a.png", "/b.png", "/c.png"] });
  expect([...html.matchAll(/href="([^"]*)" x="([^"]*)" width="([^"]*)"/g)].map(([, ...parts]) => parts)).toEqual([
    ["/a.png", "0", "105"],
    ["/b.png", "111", "105"],
  ]);
  expect(renderFace(Face, {})).toBe("");
});
