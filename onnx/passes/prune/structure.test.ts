import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { noise, noiseTensor, outputsOf, relativeErrors } from "../../../test/support/outputs.ts";
import { modelFrom } from "../../../test/support/randomGraph.ts";
import { inferShapes } from "../../infer.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model, type Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { pruneBlocks } from "./blocks.ts";
import { factorizeLayers } from "./lowRank.ts";
import { type PruneOptions, pruneChannels } from "./prune.ts";
import { pruneTwoOfFour } from "./twoOfFour.ts";

let tempDir = "";
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), "structure-"));
});
afterAll(() => rmSync(tempDir, { recursive: true, force: true }));

class Builder {
  readonly graph = new Graph("g");
  readonly model = new Model(this.graph);
  constructor() {
    this.model.opsetImports.set("", 13);
  }
  constant(dims: readonly number[], data: ArrayLike<number>): Value {
    return this.graph.addInitializer("w", Tensor.f32(dims, Float32Array.from(data)));
  }
  op(opType: string, inputs: readonly Value[], attributes: Record<string, number | readonly number[]> = {}): Value {
    const name = `n${this.graph.nodes.length}`;
    return this.graph.addNode({ opType, name, inputs, outputs: [`${name}_y`], attributes }).output();
  }
}

/** Two residual blocks; the second adds next to nothing but a constant. */
function residual(): Model {
  const b = new Builder();
  const x = b.graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 8, 6, 6] });
  const block = (from: Value, scale: number, seed: number) => {
    const weight = b.constant(
      [8, 8, 3, 3],
      noise(8 * 72, seed).map((w) => w * scale),
    );
    const hidden = b.op("Conv", [from, weight, b.constant([8], noise(8, seed + 1))], { pads: [1, 1, 1, 1] });
    return b.op("Add", [from, hidden]);
  };
  const head = b.constant([4, 8, 1, 1], noise(32, 7));
  const first = b.op("Conv", [x, b.constant([8, 8, 1, 1], noise(64, 3))]);
  b.graph.addOutput(b.op("Conv", [block(block(first, 0.3, 11), 1e-4, 21), head]));
  return b.model;
}

/** A 1x1 Conv or a MatMul whose weight is nearly of rank 4, between two others. */
function thin(kind: "conv" | "matmul" | "gemm"): Model {
  const b = new Builder();
  const [u, v, extra] = [noise(16 * 4, 1), noise(4 * 24, 2), noise(16 * 24, 5)];
  // inputs x outputs
  const product = Float32Array.from({ length: 16 * 24 }, (_, at) => {
    const [i, t] = [Math.floor(at / 24), at % 24];
    let sum = 1e-3 * (extra[at] ?? 0);
    for (let k = 0; k < 4; k++) sum += (u[i * 4 + k] ?? 0) * (v[k * 24 + t] ?? 0);
    return sum;
  });
  const turned = Float32Array.from({ length: 16 * 24 }, (_, at) => product[(at % 16) * 24 + Math.floor(at / 16)] ?? 0);
  const bias = b.constant([24], noise(24, 6));
  if (kind === "conv") {
    const x = b.graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 16, 8, 8] });
    const y = b.op("Conv", [x, b.constant([24, 16, 1, 1], turned), bias], { strides: [2, 2] });
    b.graph.addOutput(b.op("Relu", [y]));
  } else {
    const x = b.graph.addInput("x", { elemType: DataType.FLOAT, shape: [9, 16] });
    const y =
      kind === "gemm"
        ? b.op("Gemm", [x, b.constant([24, 16], turned), bias], { transB: 1 })
        : b.op("Add", [b.op("MatMul", [x, b.constant([16, 24], product)]), bias]);
    b.graph.addOutput(b.op("Relu", [y]));
  }
  return b.model;
}

const dimsOf = (model: Model) => (model.graph.inputs[0]?.shape ?? []).map(Number);
const itemsOf = (model: Model, count = 12) =>
  Array.from({ length: count }, (_, i) => ({ x: noiseTensor(dimsOf(model), i + 1) }));

async function errorOf(original: Model, changed: Model): Promise<number> {
  const feeds = { x: noiseTensor(dimsOf(original), 777) };
  const errors = relativeErrors(await outputsOf(original, feeds, tempDir), await outputsOf(changed, feeds, tempDir));
  return Math.max(...Object.values(errors));
}

describe("pruneBlocks", () => {
  it("takes out the branch that does little, keeps what it is on average, and says what it left", async () => {
    const [original, model] = [residual(), residual()];
    for (const each of [original, model]) inferShapes(each);
    const evaluator = createOrtEvaluator({ tempDir });
    const options = { keep: 0.8, evaluator, items: itemsOf(original), repair: true };
    const { blocks, macsBefore, macsAfter } = await pruneBlocks(model, options, { evaluator });
    expect(blocks.map(({ removed }) => removed)).toEqual([false, true]);
    expect(macsAfter / macsBefore).toBeLessThan(0.8);
    expect(model.graph.nodes.filter(({ opType }) => opType === "Conv")).toHaveLength(3);
    expect(await errorOf(original, model)).toBeLessThan(1e-3);
  });
});

describe("factorizeLayers", () => {
  it.each(["conv", "matmul", "gemm"] as const)("makes two thin layers of a %s that has little rank", async (kind) => {
    const [original, model] = [thin(kind), thin(kind)];
    for (const each of [original, model]) inferShapes(each);
    const evaluator = createOrtEvaluator({ tempDir });
    const measured = { evaluator, items: itemsOf(original) };
    const options = { keep: 0.5, multiple: 4, measured, repair: false };
    const { layers, macsBefore, macsAfter } = await factorizeLayers(model, options, { evaluator });
    expect(layers).toMatchObject([{ rank: 4, fullRank: 16 }]);
    expect(macsAfter / macsBefore).toBeCloseTo((4 * 40) / (16 * 24), 6);
    expect(await errorOf(original, model)).toBeLessThan(5e-3);
  });

  it("goes by the weights where no inputs are at hand, and refuses what is too narrow", async () => {
    const model = thin("conv");
    inferShapes(model);
    const { layers } = await factorizeLayers(model, { keep: 0.5, multiple: 4, repair: false }, {});
    expect(layers).toMatchObject([{ rank: 4 }]);
    const options = { keep: 0.5, multiple: 16, repair: false };
    await expect(factorizeLayers(thin("conv"), options, {})).rejects.toMatchObject({ code: "nothing-to-prune" });
  });
});

describe("pruneTwoOfFour", () => {
  const zerosOfFour = async (model: Model) => {
    const counts = new Set<number>();
    for (const node of model.graph.nodes) {
      const weight = node.inputs[1]?.initializer;
      if (node.opType !== "Conv" || !weight || (weight.dims[1] ?? 0) % 4 !== 0) continue;
      const data = await weight.floats();
      const [m = 0, c = 0, kh = 1, kw = 1] = weight.dims;
      for (let o = 0; o < m; o++)
        for (let first = 0; first < c; first += 4)
          for (let k = 0; k < kh * kw; k++)
            counts.add([0, 1, 2, 3].filter((i) => data[(o * c + first + i) * kh * kw + k] === 0).length);
    }
    return [...counts];
  };

  it("leaves two of every four weights along the channels, nearer to the original where it saw inputs", async () => {
    const errors: number[] = [];
    for (const seen of [true, false]) {
      const [original, model] = [residual(), residual()];
      for (const each of [original, model]) inferShapes(each);
      const evaluator = createOrtEvaluator({ tempDir });
      const measured = seen ? { evaluator, items: itemsOf(original) } : undefined;
      const layers = await pruneTwoOfFour(model, measured, { evaluator });
      expect(layers.every(({ weights, zeros }) => zeros === weights / 2)).toBe(true);
      expect(await zerosOfFour(model)).toEqual([2]);
      errors.push(await errorOf(original, model));
    }
    expect(errors[0]).toBeLessThan(errors[1] ?? 0);
  });
});

describe("pruneChannels", () => {
  const network = () =>
    modelFrom({
      seed: 3,
      steps: (["conv", "relu", "conv", "relu", "conv"] as const).map((step) => ({ step, pick: 3 })),
    });
  const plain = { importance: "l2", multiple: 1, repair: false, items: [] } as const;

  it("meets a predicted time, where work is worth it", async () => {
    const [, second] = network().graph.nodes.filter(({ opType }) => opType === "Conv");
    // Only the second layer takes time.
    const predict: PruneOptions["predict"] = (model) => {
      const node = model.graph.nodes.find(({ name }) => name === second?.name);
      const [m = 0, c = 0] = (node?.inputs[1]?.initializer?.dims ?? []) as readonly number[];
      return { ms: 1 + m * c, worth: (each) => (each === node ? 1 : 0) };
    };
    const model = network();
    inferShapes(model);
    const before = predict(model).ms;
    await pruneChannels(model, { ...plain, keep: 0.5, scope: "global", predict }, {});
    expect(predict(model).ms).toBeLessThanOrEqual(0.5 * before);
    expect(predict(model).ms).toBeGreaterThan(0.3 * before);
    const impossible = pruneChannels(network(), { ...plain, keep: 0.001, scope: "global", predict }, {});
    await expect(impossible).rejects.toMatchObject({ code: "latency-out-of-reach" });
  });

  it("takes the same share of every layer, and names what is left of each constant", async () => {
    const model = network();
    const { groups, constants } = await pruneChannels(model, { ...plain, keep: 0.5, scope: "layer" }, {});
    const shares = groups.map(({ removed, group }) => removed.length / group.units.length);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThan(0.2);
    expect(constants.length).toBeGreaterThan(0);
    for (const { name, shape, kept } of constants) {
      const after = model.graph.values.get(name)?.initializer?.dims;
      expect(after).toEqual(shape.map((size, axis) => kept[axis]?.length ?? size));
    }
  });
});
