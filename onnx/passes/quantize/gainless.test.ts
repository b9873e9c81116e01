import { beforeAll, describe, expect, it } from "vitest";
import { noise } from "../../../test/support/outputs.ts";
import { calibratedOnNoise, PLAIN } from "../../../test/support/quantizing.ts";
import { cloneModel } from "../../cloneModel.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model, type Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import type { CalibrationTable } from "../calibrate/table.ts";
import type { LayoutName } from "./layout.ts";
import { quantize } from "./quantize.ts";

interface Spec {
  readonly name: string;
  readonly weight: readonly [number, number, number, number];
  readonly group?: number;
}

const CHAIN: readonly Spec[] = [
  { name: "picture", weight: [16, 3, 6, 6] },
  { name: "wide", weight: [64, 16, 3, 3] },
  { name: "pairs", weight: [64, 2, 3, 3], group: 32 },
  { name: "depthwise", weight: [64, 1, 3, 3], group: 64 },
  { name: "halves", weight: [64, 32, 3, 3], group: 2 },
];
const DIMS = [1, 3, 12, 12];
let model: Model;
let table: CalibrationTable;

beforeAll(async () => {
  model = net();
  table = await calibratedOnNoise(model, DIMS);
});

/** The picture twice as large, then convolution after convolution. */
function net(): Model {
  const graph = new Graph("gainless");
  const made = new Model(graph);
  made.irVersion = 8;
  made.opsetImports.set("", 13);
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: DIMS });
  const none = graph.addInitializer("roi", Tensor.f32([0], []));
  const twice = graph.addInitializer("twice", Tensor.f32([4], [1, 1, 2, 2]));
  const resize = { opType: "Resize", name: "larger", inputs: [x, none, twice], outputs: ["larger_y"] };
  let value: Value = graph.addNode({ ...resize, attributes: { mode: "nearest" } }).output();
  for (const [i, { name, weight, group = 1 }] of CHAIN.entries()) {
    const size = weight.reduce((a, b) => a * b, 1);
    const w = graph.addInitializer(`${name}_w`, Tensor.f32(weight, noise(size, i + 1)));
    const pads = weight[2] === 3 ? [1, 1, 1, 1] : [2, 2, 3, 3];
    const node = { opType: "Conv", name, inputs: [value, w], outputs: [`${name}_y`], attributes: { group, pads } };
    value = graph.addNode(node).output();
  }
  graph.addOutput(value);
  return made;
}

async function quantized(layout: LayoutName, minSqnrDb: number) {
  const copy = cloneModel(model);
  const options = { ...PLAIN, format: "int8", layout, minSqnrDb, table } as const;
  const result = await quantize(copy, options);
  return { copy, kept: new Map(result.kept.map(({ node, reason }) => [node, reason])) };
}

describe("layers that gain no time in integers", () => {
  it("stay in float on x86 with the reason, and what only moves their input with them", async () => {
    const { copy, kept } = await quantized("onnxruntime-x86", 0.001);
    expect([...kept.keys()].sort()).toEqual(["pairs", "picture"]);
    expect(kept.get("picture")).toMatch(/16 channels of 3/);
    expect(kept.get("pairs")).toMatch(/groups have 2 channels/);
    const byName = new Map(copy.graph.nodes.map((node) => [node.name, node]));
    expect(byName.get("larger")?.input(0).name).toBe("x");
    expect(byName.get("picture")?.input(0).name).toBe("larger_y");
  });

  it("are integers all the same without a floor, and where TensorRT computes", async () => {
    expect((await quantized("onnxruntime-x86", 0)).kept.size).toBe(0);
    expect((await quantized("tensorrt", 0.001)).kept.size).toBe(0);
  });
});
