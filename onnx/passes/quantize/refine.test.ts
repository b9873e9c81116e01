/** Each step that makes INT8 truer, by what it is meant to change. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { noise, noiseTensor, outputsOf, relativeErrors } from "../../../test/support/outputs.ts";
import { cloneModel } from "../../cloneModel.ts";
import type { Evaluator } from "../../evaluator.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { Tensor } from "../../ir/tensor.ts";
import { verifyModel } from "../../verify.ts";
import { Calibrator } from "../calibrate/calibrate.ts";
import type { CalibrationTable } from "../calibrate/table.ts";
import { calibrateEqualised } from "./calibrateEqualised.ts";
import { equalise } from "./equalise.ts";
import { quantizableLayers } from "./layers.ts";
import { type LayoutName, layoutOf } from "./layout.ts";
import { OutputReference } from "./outputReference.ts";
import { type QuantizeOptions, quantize } from "./quantize.ts";
import { refineInt8 } from "./refineInt8.ts";
import { observeRoundedInputs } from "./roundedInputs.ts";
import { designInt8 } from "./staticInt8.ts";

const CHANNELS = 16;
const DIMS = [1, CHANNELS, 12, 12];
const COUNT = CHANNELS * 144;

let folder: string;
let evaluator: Evaluator;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgewright-refine-"));
  evaluator = createOrtEvaluator({ tempDir: folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Conv -> activation -> depthwise Conv -> Conv; the channels of the first differ by up to `spread` in size. */
function net(activation: "Relu" | "Silu", spread: number): Model {
  const graph = new Graph("uneven");
  const model = new Model(graph);
  model.irVersion = 8;
  model.opsetImports.set("", 13);
  const constant = (name: string, dims: number[], data: Float32Array) =>
    graph.addInitializer(name, Tensor.f32(dims, data));
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: DIMS });
  const size = (channel: number) => spread ** (channel / (CHANNELS - 1));
  const first = noise(CHANNELS ** 2, 2).map((w, i) => w * size(Math.floor(i / CHANNELS)));
  const bias = noise(CHANNELS, 3).map((b, c) => b * size(c));
  const depthwise = noise(CHANNELS * 9, 4).map((w, i) => w / size(Math.floor(i / 9)));
  const conv = (name: string, input: typeof x, weight: ReturnType<typeof constant>, more: object) => {
    const inputs = [input, weight, constant(`${name}_b`, [CHANNELS], name === "first" ? bias : noise(CHANNELS, 7))];
    return graph.addNode({ opType: "Conv", name, inputs, outputs: [`${name}_y`], attributes: { ...more } }).output();
  };
  const unary = (opType: string, input: typeof x) =>
    graph.addNode({ opType, name: opType, inputs: [input], outputs: [`${opType}_y`] }).output();
  const y = conv("first", x, constant("w1", [CHANNELS, CHANNELS, 1, 1], first), {});
  const gate = activation === "Relu" ? undefined : unary("Sigmoid", y);
  const act = gate
    ? graph.addNode({ opType: "Mul", name: "silu", inputs: [y, gate], outputs: ["silu_y"] }).output()
    : unary("Relu", y);
  const dw = conv("depthwise", act, constant("w2", [CHANNELS, 1, 3, 3], depthwise), {
    group: CHANNELS,
    pads: [1, 1, 1, 1],
  });
  const z = conv("last", dw, constant("w3", [CHANNELS, CHANNELS, 1, 1], noise(CHANNELS ** 2, 5)), {});
  z.type = { elemType: DataType.FLOAT, shape: DIMS };
  graph.addOutput(z);
  return model;
}

function frames(count: number, from = 1): HostTensors[] {
  return Array.from({ length: count }, (_, i) => ({ x: noiseTensor(DIMS, from + i) }));
}

async function calibrated(
  model: Model,
  method: "auto" | "minmax" | "percentile" = "minmax",
): Promise<CalibrationTable> {
  await using calibrator = await Calibrator.open(model, evaluator);
  for (const frame of [...frames(8), ...frames(8).map(smooth)]) await calibrator.observe(frame);
  return calibrator.finish(method).table;
}

const PLAIN = { format: "int8", keepFloat: [], minSqnrDb: 0, io: "float32", blockSize: 32 } as const;

/** Relative error of the output on frames that nothing was chosen by. */
async function errorOf(float: Model, options: QuantizeOptions, from: Model = float): Promise<number> {
  const copy = cloneModel(from);
  await quantize(copy, options);
  expect(verifyModel(copy)).toEqual([]);
  const feeds = { x: noiseTensor(DIMS, 99) };
  return Math.max(
    ...Object.values(relativeErrors(await outputsOf(float, feeds, folder), await outputsOf(copy, feeds, folder))),
  );
}

describe("equalisation", () => {
  it.each([
    ["Relu", 0],
    ["Silu", 1],
  ] as const)("behind %s: the same outputs with %i Mul more, and INT8 much truer", async (activation, more) => {
    const float = net(activation, 300);
    const table = await calibrated(float);
    const even = cloneModel(float);
    const done = await equalise(even.graph, table, layoutOf("tensorrt").worthAMulDb);
    expect(done.map(({ tensor }) => tensor)).toContain(activation === "Relu" ? "Relu_y" : "silu_y");
    expect(even.graph.nodes.length - float.graph.nodes.length).toBe(more);
    const feeds = { x: noiseTensor(DIMS, 50) };
    const [expected, got] = [await outputsOf(float, feeds, folder), await outputsOf(even, feeds, folder)];
    expect(relativeErrors(expected, got).last_y).toBeLessThan(1e-5);
    const ctx = { evaluator };
    const again = await calibrateEqualised(even, { table, equalised: done, frames: frames(8) }, ctx);
    const plain = await errorOf(float, { ...PLAIN, layout: "tensorrt", table });
    const better = await errorOf(float, { ...PLAIN, layout: "tensorrt", table: again }, even);
    expect(better).toBeLessThan(plain / 4);
  });

  it("leaves channels of like size alone", async () => {
    const float = net("Silu", 1);
    const done = await equalise(float.graph, await calibrated(float), layoutOf("tensorrt").worthAMulDb);
    expect(done.filter(({ tensor, scaled }) => tensor !== scaled)).toEqual([]);
  });

  it("costs ONNX Runtime no Mul: the quantizer takes a scale for each channel, and the outputs agree", async () => {
    const float = net("Silu", 300);
    const table = await calibrated(float);
    const even = cloneModel(float);
    const equalised = await equalise(even.graph, table, layoutOf("tensorrt").worthAMulDb);
    const again = await calibrateEqualised(even, { table, equalised, frames: frames(8) }, { evaluator });
    const options = { ...PLAIN, keepFloat: ["first"], layout: "onnxruntime-x86", table: again } as const;
    const copy = cloneModel(even);
    await quantize(copy, options);
    const products = copy.graph.nodes.filter(({ opType }) => opType === "Mul");
    expect(products.map(({ name }) => name)).toEqual(["silu"]);
    const perChannel = copy.graph.nodes.filter(
      ({ opType, inputs }) => opType === "QuantizeLinear" && inputs[1]?.constant?.dims.length === 1,
    );
    expect(perChannel.map((node) => [node.int("axis"), node.inputs[1]?.constant?.dims])).toEqual([[1, [CHANNELS]]]);
    expect(await errorOf(float, options, even)).toBeLessThan(0.02);
    expect(await errorOf(float, { ...options, table })).toBeGreaterThan(0.04);
  });
});

/** Neighbours in a row are alike, as in pictures. */
function smooth(frame: HostTensors): HostTensors {
  const { x } = frame;
  if (!x || !(x.data instanceof Float32Array)) throw new Error("no f32");
  let last = 0;
  return { x: { ...x, data: x.data.map((v) => (last = 0.9 * last + v)) } };
}

async function seenFor(float: Model, table: CalibrationTable, layout: LayoutName) {
  const { layers } = quantizableLayers(float.graph);
  const design = await designInt8(float.graph, layers, { table, layout: layoutOf(layout) });
  const parameters = new Map(design.layers.map(({ layer, input }) => [layer.name, input]));
  return observeRoundedInputs(float, { frames: frames(8).map(smooth), parameters }, { evaluator });
}

describe("corrections from rounded inputs", () => {
  /** Percentiles and one-sided inputs: what is cut off shifts each mean. */
  async function shifted() {
    const float = net("Relu", 4);
    const table = await calibrated(float);
    const tensors = Object.fromEntries(
      Object.entries(table.tensors).map(([name, t]) => [
        name,
        { ...t, lo: t.lo / 2, hi: t.hi / 2, bound: t.bound / 2 },
      ]),
    );
    return { float, table: { ...table, tensors } };
  }

  /** Largest mean error of a channel of the last layer's output, over its root mean square. */
  async function meanError(float: Model, options: QuantizeOptions): Promise<number> {
    const copy = cloneModel(float);
    await quantize(copy, options);
    const sums = new Float64Array(CHANNELS);
    let energy = 0;
    for (const feeds of frames(8).map(smooth)) {
      const [expected, got] = [await outputsOf(float, feeds, folder), await outputsOf(copy, feeds, folder)];
      const [a, b] = [expected.last_y?.data, got.last_y?.data];
      if (!(a instanceof Float32Array) || !(b instanceof Float32Array)) throw new Error("no output");
      for (const [i, x] of a.entries()) {
        const c = Math.floor(i / 144);
        sums[c] = (sums[c] ?? 0) + (b[i] ?? 0) - x;
        energy += x * x;
      }
    }
    const rms = Math.sqrt(energy / (COUNT * 8));
    return Math.max(...sums.map((sum) => Math.abs(sum) / (144 * 8))) / rms;
  }

  it("the bias takes the mean error of a single layer to nothing", async () => {
    const { float, table } = await shifted();
    const seen = await seenFor(float, table, "tensorrt");
    expect([...seen.keys()].sort()).toEqual(["depthwise", "first", "last"]);
    const options = { ...PLAIN, keepFloat: ["first", "depthwise"], layout: "tensorrt", table } as const;
    const [without, with_] = [await meanError(float, options), await meanError(float, { ...options, seen })];
    expect(without).toBeGreaterThan(0.003);
    expect(with_).toBeLessThan(without / 20);
  });

  it("weights rounded together leave less error than each to the nearest", async () => {
    const float = net("Relu", 4);
    const table = await calibrated(float);
    const seen = await seenFor(float, table, "tensorrt");
    const layers = quantizableLayers(float.graph).layers;
    const noiseOf = async (byHessian: boolean) => {
      const { layers: designs } = await designInt8(float.graph, layers, {
        table,
        layout: layoutOf("tensorrt"),
        seen,
        byHessian,
      });
      const design = designs.find(({ layer }) => layer.name === "depthwise");
      const grams = seen.get("depthwise")?.grams ?? [];
      const weights = await design?.layer.weight.floats();
      if (!design || !weights) throw new Error("no design");
      let error = 0;
      for (const [g, gram] of grams.entries()) {
        const lost = Array.from({ length: 9 }, (_, t) => {
          const at = g * 9 + t;
          return (weights[at] ?? 0) - (design.weights.integers[at] ?? 0) * (design.weights.scales[g] ?? 0);
        });
        for (const [i, a] of lost.entries())
          for (const [j, b] of lost.entries()) error += a * b * (gram[Math.max(i, j) * 9 + Math.min(i, j)] ?? 0);
      }
      return error;
    };
    expect(await noiseOf(true)).toBeLessThan(0.8 * (await noiseOf(false)));
  });
});

describe("refinement by evidence", () => {
  it("keeps what makes the outputs truer, drops what does not, and says so", async () => {
    const float = net("Silu", 300);
    const table = await calibrated(float, "auto");
    const ctx = { evaluator };
    const reference = await OutputReference.of(float, frames(4, 20), ctx);
    const evidence = { open: async () => cloneModel(float), reference, fitting: frames(8) };
    const refined = await refineInt8({ ...PLAIN, layout: "tensorrt", table }, evidence, ctx);
    expect(refined.steps.map(({ step }) => step)).toEqual(["equalisation", "bias correction", "rounding together"]);
    for (const { beforeDb, afterDb, kept } of refined.steps) expect(kept).toBe(afterDb > beforeDb);
    expect(refined.steps[0]?.kept).toBe(true);
    const best = Math.max(...refined.steps.flatMap(({ beforeDb, afterDb }) => [beforeDb, afterDb]));
    expect(refined.best.meanDb).toBeCloseTo(best, 6);
    expect((await reference.measure(refined.best.model)).meanDb).toBeCloseTo(best, 6);
  });

  it("changes no ranges that were made elsewhere", async () => {
    const float = net("Relu", 300);
    const table: CalibrationTable = { ...(await calibrated(float)), method: "given" };
    const reference = await OutputReference.of(float, frames(4, 20), { evaluator });
    const evidence = { open: async () => cloneModel(float), reference, fitting: frames(8) };
    const { steps } = await refineInt8({ ...PLAIN, layout: "tensorrt", table }, evidence, { evaluator });
    expect(steps.map(({ step }) => step)).not.toContain("equalisation");
  });
});
