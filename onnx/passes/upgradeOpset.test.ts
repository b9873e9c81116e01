import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectClose, noise, noiseTensor, outputsOf } from "../../test/support/outputs.ts";
import { DataType } from "../ir/dataType.ts";
import { type AttributeInput, Graph, Model, type Value } from "../ir/graph.ts";
import { elementCount, memorySource, Tensor } from "../ir/tensor.ts";
import { modelBytes, readModel } from "../serde.ts";
import { NEWEST_OPSET } from "./upgradeOpset/opsets.ts";
import { opsetRewrites } from "./upgradeOpset/rewrites.ts";
import { upgradeOpset } from "./upgradeOpset.ts";

let tempDir = "";
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), "upgrade-"));
});
afterAll(() => rmSync(tempDir, { recursive: true, force: true }));

interface Case {
  readonly rewrite: string;
  readonly opset: number;
  readonly opType: string;
  readonly dims: readonly number[];
  readonly attributes?: Record<string, AttributeInput>;
  /** Constants after the first input. */
  readonly constants?: readonly Tensor[];
  readonly outputs?: number;
  /** Where the runtime does not compute the newest form yet. */
  readonly to?: number;
}

const normal = (dims: readonly number[], seed: number) => Tensor.f32(dims, noise(elementCount(dims), seed));

/** Each in an operator set where the runtime still knows the old form. */
const cases: readonly Case[] = [
  {
    rewrite: "batch-norm-spatial",
    opset: 8,
    opType: "BatchNormalization",
    dims: [1, 2, 3],
    attributes: { spatial: 1 },
    constants: [1, 2, 3].map((seed) => normal([2], seed)).concat(Tensor.f32([2], [0.5, 2])),
  },
  {
    rewrite: "upsample-scales-to-input",
    opset: 7,
    opType: "Upsample",
    dims: [1, 1, 2, 3],
    attributes: { scales: { floats: [1, 1, 2, 2] } },
  },
  {
    rewrite: "upsample-to-resize",
    opset: 9,
    opType: "Upsample",
    dims: [1, 1, 3, 3],
    attributes: { mode: "linear" },
    constants: [Tensor.f32([4], [1, 1, 2, 2])],
  },
  {
    rewrite: "slice-bounds-to-inputs",
    opset: 9,
    opType: "Slice",
    dims: [4, 6],
    attributes: { starts: [1], ends: [2 ** 63], axes: [1] },
  },
  { rewrite: "topk-k-to-input", opset: 9, opType: "TopK", dims: [2, 7], attributes: { k: 3 }, outputs: 2 },
  {
    rewrite: "resize-as-asymmetric",
    opset: 10,
    opType: "Resize",
    dims: [1, 1, 4, 3],
    constants: [Tensor.f32([4], [1, 1, 2.5, 1.5])],
  },
  {
    rewrite: "resize-as-asymmetric",
    opset: 10,
    opType: "Resize",
    dims: [1, 1, 6, 6],
    constants: [Tensor.f32([4], [1, 1, 0.7, 0.4])],
  },
  {
    rewrite: "clip-bounds-to-inputs",
    opset: 7,
    opType: "Clip",
    dims: [3, 4],
    attributes: { min: { float: -0.25 }, max: { float: 0.1 } },
  },
  {
    rewrite: "pad-to-inputs",
    opset: 10,
    opType: "Pad",
    dims: [2, 3],
    attributes: { pads: [0, 1, 1, 0], value: { float: 0.5 } },
  },
  {
    rewrite: "dropout-ratio-to-input",
    opset: 10,
    opType: "Dropout",
    dims: [2, 3],
    attributes: { ratio: { float: 0.3 } },
  },
  { rewrite: "squeeze-axes-to-input", opset: 11, opType: "Squeeze", dims: [1, 3, 1], attributes: { axes: [0] } },
  { rewrite: "squeeze-axes-to-input", opset: 11, opType: "Unsqueeze", dims: [3], attributes: { axes: [0, 2] } },
  {
    rewrite: "split-sizes-to-input",
    opset: 11,
    opType: "Split",
    dims: [5, 2],
    attributes: { split: [2, 3] },
    outputs: 2,
  },
  { rewrite: "split-count", opset: 13, opType: "Split", dims: [6, 2], outputs: 3 },
  {
    rewrite: "reduce-axes-to-input",
    opset: 11,
    opType: "ReduceSum",
    dims: [2, 3, 4],
    attributes: { axes: [1], keepdims: 0 },
  },
  { rewrite: "reduce-axes-to-input", opset: 13, opType: "ReduceMean", dims: [2, 3, 4], attributes: { axes: [-1] } },
  { rewrite: "softmax-along-one-axis", opset: 11, opType: "Softmax", dims: [2, 3, 4] },
  { rewrite: "softmax-along-one-axis", opset: 9, opType: "Softmax", dims: [2, 3, 4], attributes: { axis: 2 } },
  { rewrite: "softmax-along-one-axis", opset: 11, opType: "LogSoftmax", dims: [2, 3, 4], attributes: { axis: 0 } },
  {
    rewrite: "roi-align-half-pixel",
    to: 21,
    opset: 11,
    opType: "RoiAlign",
    dims: [1, 1, 6, 6],
    attributes: { output_height: 2, output_width: 2, sampling_ratio: 2 },
    constants: [Tensor.f32([1, 4], [0.3, 0.6, 4.2, 5.1]), Tensor.i64([1], [0])],
  },
  {
    rewrite: "grid-sample-modes",
    opset: 16,
    opType: "GridSample",
    dims: [1, 1, 4, 4],
    attributes: { mode: "bilinear" },
    constants: [normal([1, 2, 2, 2], 9)],
  },
  {
    rewrite: "dft-axis-to-input",
    opset: 17,
    opType: "DFT",
    dims: [1, 8, 1],
    attributes: { axis: 1 },
  },
];

function build({ opset, opType, dims, attributes = {}, constants = [], outputs = 1 }: Case): Model {
  const graph = new Graph("test");
  const model = new Model(graph);
  model.irVersion = 8;
  model.opsetImports.set("", opset);
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: dims });
  const inputs: Value[] = [x, ...constants.map((tensor, i) => graph.addInitializer(`c${i}`, tensor))];
  const names = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const node = graph.addNode({ opType, name: "node", inputs, outputs: names, attributes });
  for (const [i, out] of node.outputs.entries()) {
    if (!out) continue;
    out.type = { elemType: opType === "TopK" && i === 1 ? DataType.INT64 : DataType.FLOAT };
    graph.addOutput(out);
  }
  return model;
}

async function copyOf(model: Model): Promise<Model> {
  return readModel(memorySource(await modelBytes(model)));
}

describe("upgradeOpset", () => {
  it.each(cases)("$rewrite: $opType of set $opset computes the same in the newest", async (test) => {
    const model = build(test);
    const feeds = { x: noiseTensor(test.dims, 7) };
    const before = await outputsOf(model, feeds, tempDir);
    const upgraded = await copyOf(model);
    const { to = NEWEST_OPSET } = test;
    expect(upgradeOpset(upgraded, to)).toMatchObject({ [test.rewrite]: 1 });
    expect(upgraded.opset).toBe(to);
    expectClose(before, await outputsOf(await copyOf(upgraded), feeds, tempDir), { rtol: 1e-6 });
  });

  it("has a case for every rewrite that can be run before and after", () => {
    const untested = opsetRewrites
      .map(({ name }) => name)
      .filter((name) => !cases.some(({ rewrite }) => rewrite === name));
    // The runtime refuses Scatter and statistics in their old form; two rewrites only refuse.
    expect(new Set(untested)).toEqual(
      new Set(["scatter-to-scatter-elements", "batch-norm-outputs", "scan-without-batch", "group-norm-per-channel"]),
    );
  });

  it("makes initializers constants, leaves a newer model alone, refuses an older one", () => {
    const model = build({ rewrite: "", opset: 9, opType: "Relu", dims: [2] });
    const constant = model.graph.addInitializer("c", Tensor.f32([1], [1]));
    model.graph.listInput(constant);
    model.irVersion = 3;
    upgradeOpset(model, 13);
    expect(model.graph.inputs.map((value) => value.name)).toEqual(["x"]);
    expect(upgradeOpset(model, 11)).toEqual({});
    expect(model.opset).toBe(13);
    model.opsetImports.set("", 6);
    expect(() => upgradeOpset(model, 13)).toThrow(/operator set 6/);
  });

  it("keeps an input with a default, and fixes weights that are listed as inputs", () => {
    const withInput = (opType: string) => {
      const model = build({ rewrite: "", opset: 9, opType, dims: [2, 2], constants: [normal([2, 2], 1)] });
      model.irVersion = 4;
      for (const value of model.graph.initializers) model.graph.listInput(value);
      upgradeOpset(model, 13);
      return model.graph.inputs.length;
    };
    expect([withInput("Mul"), withInput("MatMul")]).toEqual([2, 1]);
  });

  it("names what no newer set can say", () => {
    const scan = build({ rewrite: "", opset: 8, opType: "Scan", dims: [1, 3, 2] });
    expect(() => upgradeOpset(scan, 13)).toThrow(/Scan .* is not converted/);
    const constants = [Tensor.f32([4], [1, 1, 2, 0.5])];
    const resize = build({ rewrite: "", opset: 10, opType: "Resize", dims: [1, 1, 4, 4], constants });
    expect(() => upgradeOpset(resize, 13)).toThrow(/enlarges one axis and shrinks another/);
  });

  it("drops unread statistics of a BatchNormalization and refuses read ones", () => {
    const statistics = (read: boolean) => {
      const model = build({
        rewrite: "",
        opset: 9,
        opType: "BatchNormalization",
        dims: [1, 2, 3],
        constants: [1, 2, 3, 4].map((seed) => normal([2], seed)),
      });
      const node = model.graph.nodes[0];
      node?.setOutput(1, model.graph.addValue("mean"));
      if (read && node) model.graph.addOutput(node.output(1));
      return model;
    };
    const model = statistics(false);
    expect(upgradeOpset(model, 15)).toMatchObject({ "batch-norm-outputs": 1 });
    expect(model.graph.nodes[0]?.outputs.length).toBe(1);
    expect(() => upgradeOpset(statistics(true), 15)).toThrow(/training/);
  });
});
