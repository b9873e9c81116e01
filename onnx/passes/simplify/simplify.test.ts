import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { dataPath, testData } from "../../../test/support/data.ts";
import { expectClose, noise, noiseTensor, outputsOf } from "../../../test/support/outputs.ts";
import { modelFrom, recipes } from "../../../test/support/randomGraph.ts";
import { DataType } from "../../ir/dataType.ts";
import { type AttributeInput, Graph, Model, type Value } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { memorySource, Tensor } from "../../ir/tensor.ts";
import { modelBytes, readModel } from "../../serde.ts";
import { type PassNote, runPasses } from "../pass.ts";
import { simplify } from "./simplify.ts";

let tempDir = "";
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), "simplify-"));
});
afterAll(() => rmSync(tempDir, { recursive: true, force: true }));

/** A graph with one f32 input "x", built by `body`, which returns the output. */
class Build {
  readonly graph = new Graph("test");
  readonly model = new Model(this.graph);
  readonly x: Value;

  constructor(shape: readonly (number | string)[], opset = 13) {
    this.model.opsetImports.set("", opset);
    this.x = this.graph.addInput("x", { elemType: DataType.FLOAT, shape });
  }
  op(opType: string, inputs: readonly (Value | null)[], attributes: Record<string, AttributeInput> = {}): Value {
    const name = `n${this.graph.nodes.length}`;
    return this.graph.addNode({ opType, name, inputs, outputs: [`${name}_y`], attributes }).output();
  }
  floats(dims: readonly number[], data?: readonly number[]): Value {
    const seed = this.graph.values.size;
    const count = dims.reduce((a, b) => a * b, 1);
    return this.graph.addInitializer("c", Tensor.f32(dims, data ?? noise(count, seed)));
  }
  ints(...data: readonly number[]): Value {
    return this.graph.addInitializer("i", Tensor.i64([data.length], data));
  }
  index(value: number): Value {
    return this.graph.addInitializer("i", Tensor.i64([], [value]));
  }
  done(y: Value): Model {
    this.graph.addOutput(y);
    return this.model;
  }
}

async function copyOf(model: Model): Promise<Model> {
  return readModel(memorySource(await modelBytes(model)));
}

/** Simplifies a copy, checks that the outputs are the same, and returns what is left. */
async function simplified(
  model: Model,
  feeds: HostTensors,
): Promise<{ ops: string[]; applied: Readonly<Record<string, number>>; notes: readonly PassNote[] }> {
  const after = await copyOf(model);
  const [result] = await runPasses(after, [simplify()], { evaluator: createOrtEvaluator({ tempDir }) });
  const rewritten = await copyOf(after);
  expectClose(await outputsOf(model, feeds, tempDir), await outputsOf(rewritten, feeds, tempDir), { rtol: 1e-5 });
  return {
    ops: after.graph.nodes.map((node) => node.opType),
    applied: result?.applied ?? {},
    notes: result?.notes ?? [],
  };
}

interface Case {
  readonly name: string;
  readonly shape: readonly number[];
  readonly opset?: number;
  readonly body: (b: Build) => Value;
  readonly ops: readonly string[];
  readonly rule: string;
}

const IMAGE = [1, 4, 6, 6];
const conv = (b: Build, x = b.x) => b.op("Conv", [x, b.floats([8, 4, 3, 3]), b.floats([8])]);
const positive = (n: number) => Array.from({ length: n }, (_, i) => 0.5 + i / n);

const cases: readonly Case[] = [
  {
    name: "Conv + BatchNormalization",
    shape: IMAGE,
    body: (b) =>
      b.op("BatchNormalization", [conv(b), b.floats([8]), b.floats([8]), b.floats([8]), b.floats([8], positive(8))]),
    ops: ["Conv"],
    rule: "fuse-affine-into-layer",
  },
  {
    name: "scale and shift of an image before a Conv that pads nothing",
    shape: IMAGE,
    body: (b) => conv(b, b.op("Sub", [b.op("Mul", [b.x, b.floats([1], [1 / 255])]), b.floats([4, 1, 1])])),
    ops: ["Conv"],
    rule: "fuse-affine-before-conv",
  },
  {
    name: "a scale of each channel before a grouped Conv that pads",
    shape: IMAGE,
    body: (b) => {
      const scaled = b.op("Div", [b.x, b.floats([1, 4, 1, 1], positive(4))]);
      return b.op("Conv", [scaled, b.floats([6, 2, 3, 3])], { group: 2, pads: [1, 1, 1, 1] });
    },
    ops: ["Conv"],
    rule: "fuse-affine-before-conv",
  },
  {
    name: "products and quotients in a row, sums in a row",
    shape: IMAGE,
    body: (b) => {
      const product = b.op("Div", [b.op("Mul", [b.floats([6]), b.x]), b.floats([], [3])]);
      return b.op("Sub", [b.op("Add", [product, b.floats([1], [0.25])]), b.floats([6, 6])]);
    },
    ops: ["Mul", "Add"],
    rule: "merge-constant-chains",
  },
  {
    name: "channels last around element-wise operators, Concat and Split, and back",
    shape: IMAGE,
    body: (b) => {
      const last = (x: Value) => b.op("Transpose", [x], { perm: [0, 2, 3, 1] });
      const biased = b.op("Add", [last(conv(b)), b.floats([8])]);
      const joined = b.op("Concat", [b.op("Relu", [biased]), last(b.op("Abs", [conv(b)]))], { axis: -1 });
      const back = b.op("Transpose", [b.op("Sigmoid", [joined])], { perm: [0, 3, 1, 2] });
      return b.op("Conv", [back, b.floats([2, 16, 1, 1])]);
    },
    ops: ["Conv", "Relu", "Conv", "Abs", "Concat", "Sigmoid", "Conv"],
    rule: "sink-transposes",
  },
  {
    name: "ConvTranspose in groups + BatchNormalization",
    shape: IMAGE,
    body: (b) =>
      b.op("BatchNormalization", [
        b.op("ConvTranspose", [b.x, b.floats([4, 3, 2, 2])], { group: 2 }),
        b.floats([6]),
        b.floats([6]),
        b.floats([6]),
        b.floats([6], positive(6)),
      ]),
    ops: ["ConvTranspose"],
    rule: "fuse-affine-into-layer",
  },
  {
    name: "Conv without bias, times and minus a constant per channel, constant minus it",
    shape: IMAGE,
    body: (b) => {
      const y = b.op("Conv", [b.x, b.floats([8, 4, 1, 1])]);
      const z = b.op("Sub", [b.op("Mul", [y, b.floats([8, 1, 1])]), b.floats([1, 8, 1, 1])]);
      return b.op("Div", [b.op("Sub", [b.floats([1], [2]), z]), b.floats([], [3])]);
    },
    ops: ["Conv"],
    rule: "fuse-affine-into-layer",
  },
  {
    name: "Gemm + scale of each column",
    shape: [3, 5],
    body: (b) => b.op("Mul", [b.op("Gemm", [b.x, b.floats([5, 4]), b.floats([4])]), b.floats([4])]),
    ops: ["Gemm"],
    rule: "fuse-affine-into-layer",
  },
  {
    name: "Pad + Conv",
    shape: IMAGE,
    body: (b) => conv(b, b.op("Pad", [b.x, b.ints(0, 0, 1, 2, 0, 0, 0, 1)])),
    ops: ["Conv"],
    rule: "fuse-pad-into-layer",
  },
  {
    name: "Pad + AveragePool",
    shape: IMAGE,
    body: (b) => b.op("AveragePool", [b.op("Pad", [b.x, b.ints(0, 0, 1, 1, 0, 0, 1, 1)])], { kernel_shape: [3, 3] }),
    ops: ["AveragePool"],
    rule: "fuse-pad-into-layer",
  },
  {
    name: "MatMul + Add of matrices, behind a Transpose",
    shape: [5, 3],
    body: (b) => b.op("Add", [b.floats([4]), b.op("MatMul", [b.op("Transpose", [b.x]), b.floats([5, 4])])]),
    ops: ["Gemm"],
    rule: "fold-transpose-into-gemm",
  },
  {
    name: "identities of every kind",
    shape: IMAGE,
    body: (b) => {
      let y = b.op("Relu", [b.x]);
      y = b.op("Identity", [y]);
      y = b.op("Dropout", [y]);
      y = b.op("Cast", [y], { to: DataType.FLOAT });
      y = b.op("Reshape", [y, b.ints(1, 4, 6, 6)]);
      y = b.op("Transpose", [y], { perm: [0, 1, 2, 3] });
      y = b.op("Pad", [y, b.ints(0, 0, 0, 0, 0, 0, 0, 0)]);
      y = b.op("Slice", [y, b.ints(0), b.ints(6), b.ints(2)]);
      y = b.op("Concat", [y], { axis: 1 });
      y = b.op("Add", [b.floats([1], [0]), y]);
      y = b.op("Mul", [y, b.floats([], [1])]);
      return b.op("Tanh", [y]);
    },
    ops: ["Relu", "Tanh"],
    rule: "drop-identities",
  },
  {
    name: "Transpose pairs",
    shape: IMAGE,
    body: (b) =>
      b.op("Tanh", [b.op("Transpose", [b.op("Transpose", [b.x], { perm: [0, 2, 3, 1] })], { perm: [0, 3, 1, 2] })]),
    ops: ["Tanh"],
    rule: "merge-transposes",
  },
  {
    name: "a channel shuffle of which half is kept is one Slice",
    shape: IMAGE,
    body: (b) => {
      const grouped = b.op("Reshape", [b.x, b.ints(2, 2, 36)]);
      const turned = b.op("Transpose", [grouped], { perm: [1, 0, 2] });
      return b.op("Tanh", [
        b.op("Gather", [b.op("Reshape", [turned, b.ints(2, -1, 2, 6, 6)]), b.index(1)], { axis: 0 }),
      ]);
    },
    ops: ["Slice", "Tanh"],
    rule: "merge-views",
  },
  {
    name: "Focus + Conv is one Conv",
    shape: IMAGE,
    body: (b) => {
      const part = (row: number, column: number) =>
        b.op("Slice", [
          b.op("Slice", [b.x, b.ints(row), b.ints(100), b.ints(2), b.ints(2)]),
          b.ints(column),
          b.ints(100),
          b.ints(3),
          b.ints(2),
        ]);
      const focus = b.op("Concat", [part(0, 0), part(1, 0), part(0, 1), part(1, 1)], { axis: 1 });
      return b.op("Conv", [focus, b.floats([5, 16, 3, 3])], { pads: [1, 1, 1, 1] });
    },
    ops: ["Conv"],
    rule: "fuse-focus-into-conv",
  },
  {
    name: "common subexpressions",
    shape: IMAGE,
    body: (b) => b.op("Add", [b.op("Relu", [b.x]), b.op("Sigmoid", [b.op("Relu", [b.x])])]),
    ops: ["Relu", "Sigmoid", "Add"],
    rule: "merge-common-subexpressions",
  },
  {
    name: "constants are computed",
    shape: IMAGE,
    body: (b) => b.op("Mul", [b.x, b.op("Exp", [b.op("Neg", [b.floats([1, 4, 1, 1])])])]),
    ops: ["Mul"],
    rule: "fold-constants",
  },
  {
    name: "shapes are computed",
    shape: IMAGE,
    body: (b) => {
      const rows = b.op("Unsqueeze", [b.op("Gather", [b.op("Shape", [b.x]), b.index(1)]), b.ints(0)]);
      return b.op("Reshape", [b.x, b.op("Concat", [rows, b.ints(-1)], { axis: 0 })]);
    },
    ops: ["Reshape"],
    rule: "fold-shapes",
  },
  {
    name: "LayerNormalization in opset 17",
    shape: [2, 3, 8],
    opset: 17,
    body: (b) => {
      const d = b.op("Sub", [b.x, b.op("ReduceMean", [b.x], { axes: [-1] })]);
      const variance = b.op("ReduceMean", [b.op("Pow", [d, b.floats([], [2])])], { axes: [-1] });
      const normal = b.op("Div", [d, b.op("Sqrt", [b.op("Add", [variance, b.floats([], [1e-5])])])]);
      return b.op("Add", [b.op("Mul", [normal, b.floats([8])]), b.floats([8])]);
    },
    ops: ["LayerNormalization"],
    rule: "fuse-layer-normalization",
  },
];

describe("simplify", () => {
  it.each(cases)("$name", async ({ shape, opset, body, ops, rule }) => {
    const b = new Build(shape, opset);
    const result = await simplified(b.done(body(b)), { x: noiseTensor(shape) });
    expect(result.ops).toEqual(ops);
    expect(result.applied[rule]).toBeGreaterThan(0);
  });

  it("says why it leaves a node alone", async () => {
    const b = new Build(IMAGE);
    const y = conv(b);
    const scaled = b.op("Mul", [y, b.floats([8, 1, 1])]);
    const result = await simplified(b.done(b.op("Add", [scaled, y])), { x: noiseTensor(IMAGE) });
    expect(result.ops).toEqual(["Conv", "Mul", "Add"]);
    expect(result.notes.map((note) => note.reason)).toContain("the layer's result is read elsewhere too");
  });

  it("does not grow the file by folding", async () => {
    const b = new Build([1, 1, 1, 1]);
    const large = b.op("Expand", [b.floats([1]), b.ints(1, 1, 512, 512)]);
    const result = await simplified(b.done(b.op("Add", [b.x, large])), { x: noiseTensor([1, 1, 1, 1]) });
    expect(result.ops).toEqual(["Expand", "Add"]);
    expect(result.notes.some((note) => note.reason.includes("larger than its inputs"))).toBe(true);
  });

  it("keeps names that callers know", async () => {
    const b = new Build(IMAGE);
    const result = await simplified(b.done(b.op("Identity", [b.x])), { x: noiseTensor(IMAGE) });
    expect(result.ops).toEqual(["Identity"]);
  });

  it("keeps the outputs of any graph", async () => {
    await fc.assert(
      fc.asyncProperty(recipes, async (recipe) => {
        await simplified(modelFrom(recipe), { input: noiseTensor([1, 4, 8, 8]) });
      }),
      { numRuns: 150 },
    );
  });

  it("changes nothing the second time", async () => {
    await fc.assert(
      fc.asyncProperty(recipes, async (recipe) => {
        const model = modelFrom(recipe);
        const evaluator = createOrtEvaluator({ tempDir });
        await runPasses(model, [simplify()], { evaluator });
        const [again] = await runPasses(model, [simplify()], { evaluator });
        expect(again?.applied).toEqual({});
      }),
      { numRuns: 60 },
    );
  });
});

describe.skipIf(!testData)("simplify on real models (needs EDGEWRIGHT_TEST_DATA)", () => {
  const ids = (name: string, length: number) =>
    BigInt64Array.from({ length }, (_, i) =>
      name === "input_ids" ? BigInt(100 + 7 * i) : name.endsWith("mask") ? 1n : 0n,
    );

  it.each([
    { file: "fastestdet", atMost: 184, input: [1, 3, 352, 352] },
    { file: "rfb-320", atMost: 125, input: [1, 3, 240, 320] },
    { file: "yolox-nano", atMost: 362, input: [1, 3, 416, 416] },
    { file: "minilm-l6", atMost: 219, input: [2, 7] },
  ])("$file has at most $atMost nodes and computes the same", async ({ file, atMost, input }) => {
    const model = await readModel(memorySource(readFileSync(dataPath("models", `${file}.onnx`))));
    const feeds = Object.fromEntries(
      model.graph.feeds.map((value) => [
        value.name,
        value.type?.elemType === DataType.INT64
          ? { dataType: DataType.INT64, dims: input, data: ids(value.name, 14) }
          : noiseTensor(input),
      ]),
    );
    const result = await simplified(model, feeds);
    expect(result.ops.length).toBeLessThanOrEqual(atMost);
  });
});
