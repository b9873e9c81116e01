import { expect, it } from "vitest";
import { renderFace } from "../../test/support/renderFace.ts";
import { Face } from "./face.tsx";

const report = {
  kind: "tensors",
  version: 1,
  provenance: "computed",
  examples: 200,
  setApart: 64,
  tensors: {
    input_ids: { type: "int64", least: 8, most: 25 },
    attention_mask: { type: "int64", least: 8, most: 25 },
    token_type_ids: { type: "int64", least: 8, most: 25 },
    position: { type: "float32", least: 4, most: 4 },
  },
};

it("tells how many examples there are, and each tensor's sizes", () => {
  const html = renderFace(Face, { report });
  expect(html).toContain("200 examples");
  expect(html).toContain("64 set apart");
  expect(html).toContain("8 to 25");
  expect(html).not.toContain("position");
  expect(renderFace(Face, { report, large: true })).toContain("position");
});

it("draws nothing without a report", () => {
  expect(renderFace(Face, {})).toBe("");
});
