/** Graphs that a rewrite's algebra fits and its arithmetic, sizes or runtime do not: they stay as they are. */
import { describe, expect, it } from "vitest";
import { noise } from "../../../test/support/outputs.ts";
import { DataType } from "../../ir/dataType.ts";
import { type AttributeInput, Graph, Model, type Shape, type Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { runPasses } from "../pass.ts";
import { simplify } from "./simplify.ts";

class Build {
  readonly graph = new Graph("unsafe");
  readonly model = new Model(this.graph);
  readonly x: Value;

  constructor(shape: Shape) {
    this.model.opsetImports.set("", 17);
    this.model.irVersion = 8;
    this.x = this.graph.addInput("x", { elemType: DataType.FLOAT, shape });
  }
  op(opType: string, inputs: readonly Value[], attributes: Record<string, AttributeInput> = {}): Value {
    return this.graph.addNode({ opType, inputs, outputs: [this.graph.freshName("v")], attributes }).output();
  }
  floats(dims: readonly number[], data?: readonly number[]): Value {
    const size = dims.reduce((a, b) => a * b, 1);
    return this.graph.addInitializer("c", Tensor.f32(dims, data ?? noise(size)));
  }
  ints(...data: readonly number[]): Value {
    return this.graph.addInitializer("i", Tensor.i64([data.length], data));
  }
}

const MAGIC = 1.5 * 2 ** 23;
const IMAGE = [1, 3, 8, 8];
const rounded = (b: Build, x: Value, by = MAGIC) =>
  b.op("Sub", [b.op("Add", [x, b.floats([], [by])]), b.floats([], [by])]);
const conv = (b: Build, x: Value) => b.op("Conv", [x, b.floats([4, 3, 3, 3]), b.floats([4])]);

interface Case {
  readonly name: string;
  readonly shape: Shape;
  readonly body: (b: Build) => Value;
  readonly ops: readonly string[];
}

const cases: readonly Case[] = [
  { name: "a sum that rounds", shape: IMAGE, body: (b) => rounded(b, b.x), ops: ["Add", "Sub"] },
  { name: "a sum that loses a small value", shape: IMAGE, body: (b) => rounded(b, b.x, 5), ops: ["Add", "Sub"] },
  {
    name: "a product that passes through infinity",
    shape: IMAGE,
    body: (b) => b.op("Mul", [b.op("Mul", [b.x, b.floats([], [1e30])]), b.floats([], [1e-30])]),
    ops: ["Mul", "Mul"],
  },
  { name: "a Conv that is rounded", shape: IMAGE, body: (b) => rounded(b, conv(b, b.x)), ops: ["Conv", "Add", "Sub"] },
  {
    name: "a Conv of what is rounded",
    shape: IMAGE,
    body: (b) => conv(b, rounded(b, b.x)),
    ops: ["Add", "Sub", "Conv"],
  },
  {
    name: "a product of matrices that is rounded",
    shape: [2, 3],
    body: (b) => rounded(b, b.op("MatMul", [b.x, b.floats([3, 4])]), 1.5 * 2 ** 15),
    ops: ["MatMul", "Add", "Sub"],
  },
  {
    name: "one channel that a constant makes three",
    shape: [1, 1, 8, 8],
    body: (b) => conv(b, b.op("Mul", [b.x, b.floats([1, 3, 1, 1])])),
    ops: ["Mul", "Conv"],
  },
  {
    name: "padding as wide as the window of a pool",
    shape: IMAGE,
    body: (b) => {
      const padded = b.op("Pad", [b.x, b.ints(0, 0, 3, 1, 0, 0, 1, 1)]);
      return b.op("AveragePool", [padded], { kernel_shape: [3, 3], strides: [2, 2] });
    },
    ops: ["Pad", "AveragePool"],
  },
  {
    name: "a Slice whose result is called as what it slices",
    shape: ["b", "length"],
    body: (b) => {
      const slice = b.op("Slice", [b.op("Relu", [b.x]), b.ints(1), b.ints(1000), b.ints(1)]);
      slice.type = { elemType: DataType.FLOAT, shape: ["b", "length"] };
      const out = b.op("Relu", [slice]);
      out.type = { elemType: DataType.FLOAT, shape: ["b", "length"] };
      return out;
    },
    ops: ["Relu", "Slice", "Relu"],
  },
];

async function simplified(model: Model): Promise<readonly string[]> {
  await runPasses(model, [simplify()]);
  return model.graph.nodes.map(({ opType }) => opType);
}

describe("simplify leaves", () => {
  it.each(cases)("$name", async ({ shape, body, ops }) => {
    const b = new Build(shape);
    b.graph.addOutput(body(b));
    expect(await simplified(b.model)).toEqual(ops);
  });

  it("the names of the outputs' dimensions", async () => {
    const b = new Build(["b", "length"]);
    const out = b.op("Slice", [b.x, b.ints(1), b.ints(1000), b.ints(1)]);
    out.type = { elemType: DataType.FLOAT, shape: ["b", "rest"] };
    b.graph.addOutput(out);
    await simplified(b.model);
    expect(b.graph.outputs[0]?.shape).toEqual(["b", "rest"]);
  });

  it("an input with a default to its callers, and takes it for no constant", async () => {
    const b = new Build([2, 3]);
    const factor = b.floats([1], [1]);
    b.graph.listInput(factor);
    b.graph.addOutput(b.op("Relu", [b.op("Mul", [b.x, factor])]));
    expect(await simplified(b.model)).toEqual(["Mul", "Relu"]);
    expect(b.graph.inputs).toEqual([b.x, factor]);
    expect(factor.initializer?.numbers).toEqual([1]);
  });
});
