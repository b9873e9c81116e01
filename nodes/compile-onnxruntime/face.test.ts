import { expect, it } from "vitest";
import { renderFace } from "../../test/support/renderFace.ts";
import { Face } from "./face.tsx";

const report = {
  kind: "compile-onnxruntime",
  version: 1,
  provenance: "computed",
  level: "extended",
  runtime: "onnxruntime 1.30.0 cpu",
  nodesBefore: 211,
  nodesAfter: 136,
  opsBefore: { Conv: 70, Relu: 40 },
  opsAfter: { "com.microsoft.FusedConv": 34, Conv: 36 },
  fused: { "com.microsoft.FusedConv": 34 },
  bytesBefore: 1e6,
  bytesAfter: 9e5,
  warnings: ["no other runtime reads it"],
};

it("says how many nodes are left and which share was fused", () => {
  const html = renderFace(Face, { report });
  expect(html).toContain("211 to 136 nodes");
  expect(html).toContain("fused 25 %");
});

it("compares operators when opened, absent ones with a dash", () => {
  const html = renderFace(Face, { report, large: true });
  expect(html).toMatch(/Relu<\/td><td[^>]*>40<\/td><td[^>]*>–</);
  expect(html).toContain("no other runtime reads it");
});
