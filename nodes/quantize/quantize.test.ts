import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { DataType } from "../../onnx/ir/dataType.ts";
import { Graph, Model } from "../../onnx/ir/graph.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { measureSqnr } from "../../onnx/passes/quantize/measureSqnr.ts";
import { prepareForQuantization } from "../../onnx/passes/quantize/prepare.ts";
import { modelBytes } from "../../onnx/serde.ts";
import { createOrtEvaluator } from "../../server/runners/ortEvaluator.ts";
import { collect } from "../../test/support/collect.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { noise, noiseTensor } from "../../test/support/outputs.ts";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import { run as calibrate } from "../calibrate/run.ts";
import { run as loadImages } from "../load-images/run.ts";
import type { ArtifactRef, TensorItem } from "../ports.ts";
import { run as preprocess } from "../preprocess/run.ts";
import { streamOf } from "../streams.ts";
import { quantizeReport, worstFigure } from "./report.ts";
import { run } from "./run.ts";
import { quantize } from "./schema.ts";

const DIMS = [1, 4, 8, 8];

/** Two convolutions, a product, and one of each thing that a format may stumble over. */
function smallNet(): Promise<Uint8Array> {
  const graph = new Graph("small");
  const model = new Model(graph);
  model.irVersion = 8;
  model.opsetImports.set("", 13);
  const constant = (name: string, dims: number[], seed: number) =>
    graph.addInitializer(
      name,
      Tensor.f32(
        dims,
        noise(
          dims.reduce((a, b) => a * b, 1),
          seed,
        ),
      ),
    );
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: DIMS });
  const op = (opType: string, inputs: Parameters<typeof graph.addNode>[0]["inputs"], name: string, attributes = {}) =>
    graph.addNode({ opType, name, inputs, outputs: [`${name}_y`], attributes }).output();
  const c1 = op("Conv", [x, constant("w1", [8, 4, 3, 3], 2), constant("b1", [8], 3)], "first", { pads: [1, 1, 1, 1] });
  const relu = op("Relu", [c1], "relu");
  const wide = op("ConvTranspose", [relu, constant("wt", [8, 4, 3, 3], 8)], "widen", { strides: [2, 2] });
  const c2 = op("Conv", [wide, constant("w2", [4, 1, 3, 3], 4)], "depthwise", { group: 4, pads: [1, 1, 1, 1] });
  const pool = op("GlobalAveragePool", [c2], "pool");
  const flat = op("Flatten", [pool], "flat");
  const big = op("Mul", [flat, graph.addInitializer("big", Tensor.f32([1], [1e6]))], "big");
  const back = op("Mul", [big, graph.addInitializer("small", Tensor.f32([1], [1e-6]))], "back");
  const y = op("Gemm", [back, constant("w3", [3, 4], 5), constant("b3", [3], 6)], "last", { transB: 1 });
  y.type = { elemType: DataType.FLOAT, shape: [1, 3] };
  graph.addOutput(y);
  return modelBytes(model);
}

function frames(count: number) {
  return Array.from({ length: count }, (_, index): TensorItem => {
    return { frame: { id: `${index}.jpg`, index, width: 8, height: 8 }, tensors: { "": noiseTensor(DIMS, index + 1) } };
  });
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("an output is missing");
  return value;
}

async function quantized(
  workspace: NodeWorkspace,
  inputs: Parameters<typeof run.run>[1],
  params: Parameters<typeof quantize.params.parse>[0],
) {
  const { outputs } = await workspace.run(run, { inputs, params: quantize.params.parse(params) });
  const model = given(outputs.model);
  const report = quantizeReport.parse(await workspace.artifacts.readJson(given(outputs.report)));
  return { model, report };
}

/** SQNR of the worst output, dB; both models as the runtime runs them. */
async function worstSqnr(
  workspace: NodeWorkspace,
  refs: { float: ArtifactRef<"model">; quantized: ArtifactRef<"model"> },
  feeds: readonly HostTensors[],
): Promise<number> {
  const float = await workspace.artifacts.openModel(refs.float);
  const evaluator = createOrtEvaluator({ tempDir: workspace.folder });
  const models = { float, quantized: await workspace.artifacts.openModel(refs.quantized) };
  const sqnr = await measureSqnr(models, [], feeds, { evaluator });
  const outputs = float.graph.outputs.map(({ name }) => sqnr.get(name) ?? 200);
  return Math.min(...outputs);
}

/** What each form must keep of a net of random weights, dB. */
const small = [
  { format: "int8", layout: "onnxruntime-x86", atLeast: 25 },
  { format: "int8", layout: "tensorrt", atLeast: 25 },
  { format: "int8-dynamic", layout: "onnxruntime-x86", atLeast: 25 },
  { format: "int4", layout: "onnxruntime-x86", atLeast: 12 },
  { format: "int4", layout: "tensorrt", atLeast: 12 },
  { format: "fp16", layout: "onnxruntime-x86", atLeast: 45 },
] as const;

describe("quantize", () => {
  it.each(small)("$format for $layout keeps $atLeast dB of a small net", async ({ format, layout, atLeast }) => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", await smallNet());
    const { outputs } = await workspace.run(calibrate, {
      inputs: { model, tensors: streamOf(frames(8)), before: undefined },
    });
    const inputs = { model, calibration: outputs.calibration, tensors: undefined };
    const result = await quantized(workspace, inputs, { format, layout, minSqnrDb: 0 });
    const feeds = frames(4).map(({ tensors }) => ({ x: given(tensors[""]) }));
    expect(await worstSqnr(workspace, { float: model, quantized: result.model }, feeds)).toBeGreaterThan(atLeast);
    expect(result.report.sqnr).toBe("predicted");
    expect(result.report.layers.length).toBeGreaterThanOrEqual(3);
  });

  it("measures layers and outputs where tensors are wired", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", await smallNet());
    const { outputs } = await workspace.run(calibrate, {
      inputs: { model, tensors: streamOf(frames(8)), before: undefined },
    });
    const inputs = { model, calibration: outputs.calibration, tensors: streamOf(frames(10)) };
    const { report } = await quantized(workspace, inputs, {});
    expect(report.sqnr).toBe("measured");
    expect(report.outputs?.last_y?.sqnrDb).toBeGreaterThan(20);
    expect(report.layers.map(({ node }) => node).sort()).toEqual(["depthwise", "first", "widen"]);
    expect(report.keptFloat).toEqual([
      expect.objectContaining({ node: "last", reason: expect.stringMatching(/4 products/) }),
    ]);
    const figures = report.layers.map(worstFigure);
    expect(figures).toEqual([...figures].sort((a, b) => a - b));
  });

  it("keeps in float what the user names, and what would keep too little", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", await smallNet());
    const { outputs } = await workspace.run(calibrate, {
      inputs: { model, tensors: streamOf(frames(8)), before: undefined },
    });
    const inputs = { model, calibration: outputs.calibration, tensors: undefined };
    const named = await quantized(workspace, inputs, { keepFloat: ["first"], minSqnrDb: 0 });
    expect(named.report.keptFloat).toEqual([{ node: "first", opType: "Conv", reason: "kept by the user" }]);
    const opened = await workspace.artifacts.openModel(named.model);
    expect(opened.graph.values.get("w1")?.initializer?.dataType).toBe(DataType.FLOAT);
    const layers = named.report.layers.filter(({ node }) => node !== "last");
    const least = Math.min(...layers.map(({ ownSqnrDb }) => ownSqnrDb ?? 99));
    const strict = await quantized(workspace, inputs, { minSqnrDb: least + 0.5 });
    expect(strict.report.keptFloat[0]?.reason).toMatch(/dB \(predicted\), below/);
    await expect(quantized(workspace, inputs, { keepFloat: ["nobody"] })).rejects.toMatchObject({
      code: "unknown-node",
    });
    await expect(quantized(workspace, inputs, { minSqnrDb: 100 })).rejects.toMatchObject({
      code: "nothing-to-quantize",
    });
  });

  it("fp16 leaves what overflows in float, and gives half at its ends where asked", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", await smallNet());
    const inputs = { model, calibration: undefined, tensors: undefined };
    const { report, model: half } = await quantized(workspace, inputs, { format: "fp16", io: "float16" });
    expect(report.notQuantized).toContainEqual(expect.objectContaining({ opType: "Mul", count: 1 }));
    const opened = await workspace.artifacts.openModel(half);
    const types = [...opened.graph.feeds, ...opened.graph.outputs].map((value) => value.type?.elemType);
    expect(types).toEqual([DataType.FLOAT16, DataType.FLOAT16]);
  });

  it("bf16 is simulated, keeps float at its ends, and says where it runs", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", await smallNet());
    const inputs = { model, calibration: undefined, tensors: streamOf(frames(10)) };
    const { report, model: short } = await quantized(workspace, inputs, { format: "bf16", layout: "tensorrt" });
    expect(report).toMatchObject({ sqnr: "simulated", keptFloat: [], notQuantized: [] });
    expect(report.runsOn).toMatch(/8\.0 and newer; not ONNX Runtime's CPU/);
    const worst = Math.min(...Object.values(report.outputs ?? {}).map(({ sqnrDb }) => sqnrDb));
    // Two numbers of eight bits multiplied lose 45 dB or so; were nothing rounded, there would be no noise at all.
    expect(worst).toBeGreaterThan(30);
    expect(worst).toBeLessThan(70);
    for (const { ownSqnrDb } of report.layers) expect(ownSqnrDb).toBeGreaterThan(40);
    const { graph } = await workspace.artifacts.openModel(short);
    expect([...graph.feeds, ...graph.outputs].map((value) => value.type?.elemType)).toEqual([
      DataType.FLOAT,
      DataType.FLOAT,
    ]);
    const held = new Set(graph.initializers.map(({ initializer }) => initializer?.dataType));
    expect([held.has(DataType.BFLOAT16), held.has(DataType.FLOAT)]).toEqual([true, false]);

    const own = report.layers.map(({ ownSqnrDb }) => ownSqnrDb ?? 99).sort((a, b) => a - b);
    const floor = (given(own[0]) + given(own[1])) / 2;
    const again = { ...inputs, tensors: streamOf(frames(10)) };
    const strict = await quantized(workspace, again, { format: "bf16", layout: "tensorrt", minSqnrDb: floor });
    expect(strict.report.keptFloat[0]?.reason).toMatch(/dB \(simulated\)/);
    expect(strict.report.layers.length).toBeLessThan(report.layers.length);
  });

  it("refuses bf16 where ONNX Runtime is to run it, before and at the run", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", await smallNet());
    const inputs = { model, calibration: undefined, tensors: undefined };
    const wanted = { code: "bf16-onnxruntime", fix: expect.stringMatching(/fp16.*tensorrt/) };
    await expect(quantized(workspace, inputs, { format: "bf16" })).rejects.toMatchObject(wanted);
    const check = given(quantize.check)(quantize.params.parse({ format: "bf16" }), { wired: {} });
    expect(check).toEqual([expect.objectContaining(wanted)]);
  });

  it("tensorrt: signed, zero point 0, no int32; onnxruntime-x86: unsigned activations, int32 bias", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", await smallNet());
    const { outputs } = await workspace.run(calibrate, {
      inputs: { model, tensors: streamOf(frames(8)), before: undefined },
    });
    const types = async (layout: string) => {
      const inputs = { model, calibration: outputs.calibration, tensors: undefined };
      const opened = await workspace.artifacts.openModel((await quantized(workspace, inputs, { layout })).model);
      const integers = opened.graph.initializers.flatMap(({ initializer }) => initializer ?? []);
      const zeroPoints = integers.filter(({ dims }) => dims.length === 0);
      return {
        types: new Set(integers.map(({ dataType }) => dataType).filter((type) => type !== DataType.FLOAT)),
        zeros: zeroPoints
          .filter(({ dataType }) => dataType === DataType.INT8)
          .flatMap((tensor) => tensor.numbers ?? []),
      };
    };
    expect(await types("tensorrt")).toEqual({ types: new Set([DataType.INT8]), zeros: [0] });
    expect((await types("onnxruntime-x86")).types).toEqual(new Set([DataType.UINT8, DataType.INT8, DataType.INT32]));
  });

  it("refuses a model that is quantized, a calibration of another, INT8 without one, dynamic for TensorRT", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", await smallNet());
    const { outputs } = await workspace.run(calibrate, {
      inputs: { model, tensors: streamOf(frames(8)), before: undefined },
    });
    const { calibration } = outputs;
    const done = await quantized(workspace, { model, calibration, tensors: undefined }, {});
    const again = quantized(workspace, { model: done.model, calibration, tensors: undefined }, {});
    await expect(again).rejects.toMatchObject({ code: "already-quantized", fix: expect.stringMatching(/FP32/) });
    const bare = quantized(workspace, { model, calibration: undefined, tensors: undefined }, {});
    await expect(bare).rejects.toMatchObject({ code: "no-calibration" });
    const table = { kind: "calibration", version: 1, method: "mse", images: 1, tensors: {} };
    const other = await workspace.artifacts.put("calibration", new TextEncoder().encode(JSON.stringify(table)));
    await expect(quantized(workspace, { model, calibration: other, tensors: undefined }, {})).rejects.toMatchObject({
      code: "calibration-mismatch",
    });
    const dynamic = { format: "int8-dynamic", layout: "tensorrt" } as const;
    await expect(quantized(workspace, { model, calibration, tensors: undefined }, dynamic)).rejects.toMatchObject({
      code: "dynamic-tensorrt",
    });
    const check = given(quantize.check)(quantize.params.parse(dynamic), { wired: {} });
    expect(check.map(({ code }) => code)).toEqual(["dynamic-tensorrt"]);
  });
});

/** What each form must keep of the real detectors, dB at the worst output, and how much smaller the file is. */
const detectors: readonly {
  readonly file: string;
  readonly preprocess: z.input<typeof preprocess.def.params>;
  readonly bounds: Readonly<Record<string, readonly [sqnrDb: number, smaller: number]>>;
}[] = [
  {
    file: "fastestdet.onnx",
    preprocess: { width: 352, height: 352, mode: "stretch", interpolation: "area", colorOrder: "BGR" },
    bounds: {
      "int8 onnxruntime-x86": [12, 2.5],
      "int8 tensorrt": [10, 2.9],
      "int8-dynamic onnxruntime-x86": [12, 2.8],
      "int4 onnxruntime-x86": [5, 3.8],
      fp16: [38, 1.9],
    },
  },
  {
    file: "yolox-nano.onnx",
    preprocess: { width: 416, height: 416, mode: "letterbox-topleft", colorOrder: "BGR", scale: 1 },
    bounds: {
      "int8 onnxruntime-x86": [9, 3],
      "int8 tensorrt": [6.5, 3.2],
      "int8-dynamic onnxruntime-x86": [3, 3.2],
      "int4 onnxruntime-x86": [6, 5],
      fp16: [30, 1.9],
    },
  },
  {
    file: "rfb-320.onnx",
    preprocess: { width: 320, height: 240, mode: "stretch", scale: 1 / 128, mean: [0.992, 0.992, 0.992] },
    bounds: {
      "int8 onnxruntime-x86": [38, 2.5],
      "int8 tensorrt": [35, 2.6],
      "int8-dynamic onnxruntime-x86": [40, 2.7],
      "int4 onnxruntime-x86": [33, 3.4],
      fp16: [60, 1.9],
    },
  },
];

describe.skipIf(!testData)("quantize on real detectors (needs EDGEWRIGHT_TEST_DATA)", () => {
  it.each(detectors)("$file: every form keeps its bound", { timeout: 120_000 }, async (detector) => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", detector.file)));
    const images = await workspace.run(loadImages, {
      inputs: {},
      params: { limit: 14 },
      sources: { source: dataPath("coco", "calibration") },
    });
    const prepared = await workspace.run(preprocess, {
      inputs: { source: given(images.outputs.images), settings: undefined },
      params: detector.preprocess,
    });
    const items = await collect(given(prepared.outputs.tensors));
    const calibrated = await workspace.run(calibrate, {
      inputs: { model, tensors: streamOf(items.slice(0, 12)), before: undefined },
    });
    const [feed] = (await workspace.artifacts.openModel(model)).graph.feeds;
    const held = items.slice(12).map(({ tensors }) => ({ [given(feed).name]: given(tensors[""]) }));
    for (const [form, [sqnrDb, smaller]] of Object.entries(detector.bounds)) {
      const [format, layout] = form.split(" ");
      const inputs = { model, calibration: calibrated.outputs.calibration, tensors: undefined };
      const result = await quantized(workspace, inputs, { format, ...(layout && { layout }) });
      const got = await worstSqnr(workspace, { float: model, quantized: result.model }, held);
      expect(got, `${form}: dB`).toBeGreaterThan(sqnrDb);
      expect(result.report.bytesBefore / result.report.bytesAfter, `${form}: size`).toBeGreaterThan(smaller);
    }
  });
});

describe("prepareForQuantization", () => {
  it("leaves the graph's outputs as they were", async () => {
    await using workspace = await openNodeWorkspace();
    const ref = await workspace.artifacts.put("model", await smallNet());
    const model = await workspace.artifacts.openModel(ref);
    await prepareForQuantization(model);
    const prepared = await workspace.artifacts.saveModel(model);
    const feeds = frames(2).map(({ tensors }) => ({ x: given(tensors[""]) }));
    expect(await worstSqnr(workspace, { float: ref, quantized: prepared }, feeds)).toBeGreaterThan(100);
  });
});

it.each([1, 2, 3, 4, 5])(
  "takes documents of version %i along as they are (steps-by-evidence, hard-frames-decide, floats-stay-floats, zero-points, slow-layers-stay-float)",
  (version) => {
    expect(quantize.migrations[version]?.up({ format: "fp16" })).toEqual({ format: "fp16" });
  },
);
