import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noise, noiseTensor, outputsOf, relativeErrors } from "../../../test/support/outputs.ts";
import { calibratedOnNoise, PLAIN } from "../../../test/support/quantizing.ts";
import { cloneModel } from "../../cloneModel.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { verifyModel } from "../../verify.ts";
import type { CalibrationTable } from "../calibrate/table.ts";
import type { Form } from "./placement.ts";
import { quantize } from "./quantize.ts";

const DIMS = [1, 64, 6, 6];
let folder: string;
let model: Model;
let table: CalibrationTable;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgewright-placement-"));
  model = net();
  table = await calibratedOnNoise(model, DIMS);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Three convolutions, SiLU between them. */
function net(): Model {
  const graph = new Graph("placed");
  const made = new Model(graph);
  made.irVersion = 8;
  made.opsetImports.set("", 13);
  let value = graph.addInput("x", { elemType: DataType.FLOAT, shape: DIMS });
  for (const [i, name] of ["first", "second", "third"].entries()) {
    const weight = graph.addInitializer(`${name}_w`, Tensor.f32([64, 64, 1, 1], noise(4096, i + 1)));
    const bias = graph.addInitializer(`${name}_b`, Tensor.f32([64], noise(64, i + 9)));
    value = graph.addNode({ opType: "Conv", name, inputs: [value, weight, bias], outputs: [`${name}_y`] }).output();
    if (name === "third") break;
    const gate = graph.addNode({ opType: "Sigmoid", name: `${name}_s`, inputs: [value], outputs: [`${name}_g`] });
    const inputs = [value, gate.output()];
    value = graph.addNode({ opType: "Mul", name: `${name}_m`, inputs, outputs: [`${name}_z`] }).output();
  }
  value.type = { elemType: DataType.FLOAT, shape: DIMS };
  graph.addOutput(value);
  return made;
}

async function placed(placement: Record<string, Form>) {
  const copy = cloneModel(model);
  const result = await quantize(copy, {
    ...PLAIN,
    format: "int8",
    table,
    placement: new Map(Object.entries(placement)),
  });
  expect(verifyModel(copy)).toEqual([]);
  const feeds = { x: noiseTensor(DIMS, 2) };
  const [expected, got] = [await outputsOf(model, feeds, folder), await outputsOf(copy, feeds, folder)];
  const opTypes = copy.graph.nodes.map(({ opType }) => opType);
  return { copy, result, opTypes, error: relativeErrors(expected, got).third_y ?? Number.NaN };
}

describe("a placement", () => {
  it("puts each layer where it says: integers, weights alone in 8 bits, or float", async () => {
    const { copy, result, opTypes, error } = await placed({ first: "float", second: "int8", third: "weights" });
    expect(result.kept.map(({ node }) => node)).toEqual(["first"]);
    expect(result.layers.map(({ node }) => node).sort()).toEqual(["second", "third"]);
    expect(copy.graph.find("first_w")?.initializer?.dataType).toBe(DataType.FLOAT);
    expect(opTypes.filter((op) => op === "QuantizeLinear")).toHaveLength(2);
    expect(error).toBeLessThan(0.03);
  });

  it("stores weights alone as int8, Cast and Mul, of which nothing is left to dequantize at each run", async () => {
    const { copy, opTypes, error } = await placed({ first: "weights", second: "weights", third: "weights" });
    expect(opTypes).not.toContain("QuantizeLinear");
    expect(opTypes).not.toContain("DequantizeLinear");
    expect(opTypes.filter((op) => op === "Cast")).toHaveLength(3);
    expect(copy.graph.find("first_w_q")?.initializer?.dataType).toBe(DataType.INT8);
    expect(copy.graph.find("first_w")).toBeUndefined();
    // 8 bits a weight, 64 of them a sum: half a step of 1/127 of the largest each.
    expect(error).toBeLessThan(0.01);
    expect(error).toBeGreaterThan(0);
  });

  it("writes SiLU behind integers as one operator, and leaves it in float elsewhere", async () => {
    const { opTypes } = await placed({ first: "int8", second: "float", third: "float" });
    expect(opTypes.filter((op) => op === "QuickGelu")).toHaveLength(1);
    expect(opTypes.filter((op) => op === "Sigmoid")).toHaveLength(1);
  });
});
