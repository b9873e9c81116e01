/**
 * One case or more for each operator, of the ONNX project's own backend tests (onnx 1.23.2, Apache-2.0): types, small
 * inputs, attributes and the declared outputs. Lists read [element type, shape] or [element type, shape, elements].
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { constantTensor } from "../../test/support/oneNodeModel.ts";
import { inferShapes } from "../infer.ts";
import { Graph, Model } from "../ir/graph.ts";
import { knownOps } from "./index.ts";

const dims = z.array(z.int());
const caseSchema = z.object({
  name: z.string(),
  op: z.string(),
  opset: z.int(),
  inputs: z.array(z.union([z.tuple([z.int(), dims]), z.tuple([z.int(), dims, z.array(z.number())]), z.null()])),
  attributes: z.record(
    z.string(),
    z.union([
      z.number(),
      z.string(),
      z.array(z.number()),
      z.object({ float: z.number() }),
      z.object({ floats: z.array(z.number()) }),
    ]),
  ),
  outputs: z.array(z.union([z.tuple([z.int(), z.array(z.int().nullable())]), z.null()])),
});

const cases = readFileSync(new URL("backendCases.ndjson", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => caseSchema.parse(JSON.parse(line)));

/** Sizes that depend on data: no inference can know them. */
const DATA_DEPENDENT = new Set([
  "Compress",
  "ImageDecoder",
  "NonMaxSuppression",
  "NonZero",
  "StringNormalizer",
  "StringSplit",
  "Unique",
]);

describe("operators against the ONNX backend tests", () => {
  it.each(cases)("$op $opset: $name", ({ op, opset, inputs, attributes, outputs }) => {
    const graph = new Graph("case");
    const model = new Model(graph);
    model.opsetImports.set("", opset);
    const values = inputs.map((input, i) => {
      if (!input) return null;
      const [elemType, shape, elements] = input;
      if (elements) return graph.addInitializer(`x${i}`, constantTensor(elemType, shape, elements));
      return graph.addInput(`x${i}`, { elemType, shape });
    });
    const node = graph.addNode({
      opType: op,
      inputs: values,
      outputs: outputs.map((output, i) => (output ? `y${i}` : "")),
      attributes,
    });
    expect(inferShapes(model).unknown.map(({ reason }) => reason)).toEqual([]);
    const got = node.outputs.map((value) => value && [value.type?.elemType, value.type?.shape]);
    if (!DATA_DEPENDENT.has(op)) expect(got).toEqual(outputs);
    else expect(got.map((type) => type?.[0])).toEqual(outputs.map((type) => type?.[0]));
  });

  it("cover most operators that Edgewright knows in ai.onnx", () => {
    const covered = new Set(cases.map(({ op }) => op));
    const own = knownOps.filter(({ domain }) => !domain).map(({ opType }) => opType);
    expect(own.filter((opType) => !covered.has(opType)).length).toBeLessThan(40);
  });
});
