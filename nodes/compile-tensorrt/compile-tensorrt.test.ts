import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import { Graph, Model } from "../../onnx/ir/graph.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { BlobStore } from "../../server/storage/blobs.ts";
import { type CacheEntry, ResultCache } from "../../server/storage/cache.ts";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { type NodeWorkspace, openNodeWorkspace, testTarget } from "../../test/support/runNode.ts";
import type { PortValue } from "../ports.ts";
import { countConvolutions } from "./convolutions.ts";
import { run } from "./run.ts";

const builderHome = process.env.EDGEWRIGHT_TENSORRT_RTX;

async function reportOf({ artifacts }: NodeWorkspace, ref: PortValue<"report"> | undefined) {
  if (!ref) throw new Error("no report");
  return Object(await artifacts.readJson(ref));
}

describe("countConvolutions", () => {
  it("takes the layer that convolves, and says what it did not see", () => {
    const graph = new Graph("g");
    const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 1, 4, 4] });
    const w = graph.addInitializer("w", Tensor.f32([1, 1, 1, 1], [1]));
    const conv = (output: string, name: string) =>
      graph.addNode({ opType: "Conv", name, inputs: [x, w], outputs: [output] });
    conv("a", "first");
    conv("b", "");
    conv("c", "gone");
    const layer = (type: string, precision: string, ...origins: string[]) => ({ name: "", type, precision, origins });
    const layers = [
      layer("kgen", "Float", "first"),
      layer("correlation", "Int8", "first", "relu"),
      layer("CaskConvolution", "Half", "node_of_b"),
      layer("kgen", "Float", "node_of_b"),
    ];
    expect(countConvolutions(graph, layers)).toEqual({ byPrecision: { Int8: 1, Half: 1 }, unseen: 1 });
  });
});

/** x through QuantizeLinear and DequantizeLinear with a zero point of 1, as ONNX Runtime's tool writes it. */
function asymmetric(): Model {
  const graph = new Graph("g");
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 4] });
  const scale = graph.addInitializer("scale", Tensor.f32([], [0.1]));
  const zero = graph.addInitializer("zero", Tensor.of(DataType.UINT8, [], new Uint8Array([1])));
  const q = graph.addNode({ opType: "QuantizeLinear", name: "q", inputs: [x, scale, zero], outputs: ["xq"] });
  const dq = graph.addNode({
    opType: "DequantizeLinear",
    name: "dq",
    inputs: [q.output(), scale, zero],
    outputs: ["y"],
  });
  graph.addOutput(dq.output());
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  return model;
}

describe("compile-tensorrt without a builder", () => {
  const missing = { tensorRt: async () => undefined };

  it("fails and says how to get one", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", new Uint8Array([1]));
    await expect(workspace.run(run, { inputs: { model }, overrides: missing })).rejects.toMatchObject({
      code: "no-tensorrt-builder",
      fix: expect.stringContaining("edgewright setup tensorrt-rtx"),
    });
  });

  it("refuses what TensorRT would refuse, each cause once, before any builder is asked", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.saveModel(asymmetric());
    const asked = {
      tensorRt: async () => ({ name: "trtexec 10.3.0", build: () => Promise.reject(new Error("asked")) }),
    };
    await expect(workspace.run(run, { inputs: { model }, overrides: asked })).rejects.toMatchObject({
      code: "not-ready-for-tensorrt",
      message: expect.stringMatching(/q: .*unsigned 8 bits.*and 1 more.*zero point is not 0/),
      fix: "Quantize with layout tensorrt: signed, symmetric, bias in float.",
    });
  });
});

describe("for which GPU an engine is", () => {
  const orin = { ...testTarget, id: "orin", name: "Orin", access: "predicted", runtime: "tensorrt" } as const;
  const asked: string[][] = [];
  const builder = (name: string) => ({
    tensorRt: async () => ({
      name,
      build: async (_ref: unknown, { computeCapabilities }: { computeCapabilities: readonly string[] }) => {
        asked.push([...computeCapabilities]);
        const engine = { digest: "0".repeat(64), size: 1, layers: [], buildSeconds: 1 };
        const engines = computeCapabilities.map((own) => [`${own}.engine`, { ...engine, computeCapability: own }]);
        return { engines: Object.fromEntries(engines), warnings: [] };
      },
    }),
  });
  const graph = new Graph("g");
  const relu = graph.addNode({
    opType: "Relu",
    inputs: [graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 4] })],
    outputs: ["y"],
  });
  graph.addOutput(relu.output());
  const plain = new Model(graph);
  plain.opsetImports.set("", 17);
  const compile = async (target: DeviceProfile, computeCapabilities: string[] = [], name = "tensorrt-rtx 1") => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.saveModel(plain);
    const options = { inputs: { model }, params: { computeCapabilities }, target, overrides: builder(name) };
    const { outputs } = await workspace.run(run, options);
    return reportOf(workspace, outputs.report);
  };

  it("is the target's own, or else stands in for it as evidence", async () => {
    const own = await compile({ ...orin, computeCapability: "8.7" });
    expect(own.engines[0].computeCapability).toBe("8.7");
    expect(own.evidence).toBeUndefined();
    const here = await compile(testTarget);
    expect(here.engines[0].computeCapability).toBe("8.6");
    expect(here.evidence).toContain("This machine does not run it");
    const forced = await compile({ ...orin, computeCapability: "8.7" }, ["8.9"]);
    expect(forced.evidence).toContain("8.9 is evidence");
    await compile(testTarget, [], "trtexec 10.3.0");
    expect(asked.at(-1)).toEqual([]);
  });

  it("is none where the target runs no TensorRT, unless it was asked for", async () => {
    const pi = { ...orin, name: "Pi", runtime: "onnxruntime" } as const;
    await expect(compile(pi)).rejects.toMatchObject({
      code: "no-tensorrt-target",
      fix: expect.stringContaining("8.6"),
    });
    expect((await compile(pi, ["8.6"])).evidence).toContain("Pi does not run it");
  });
});

describe.skipIf(!testData)("compile-tensorrt as a kit (needs EDGEWRIGHT_TEST_DATA)", () => {
  it("holds the ONNX and the exact command, and claims no engine", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "fastestdet.onnx")));
    const { outputs, logs } = await workspace.run(run, {
      inputs: { model },
      params: { builder: "kit" },
      target: { ...testTarget, name: "Orin Nano", computeCapability: "8.7" },
    });
    expect(outputs.engine).toBeUndefined();
    const report = await reportOf(workspace, outputs.report);
    expect(report).toMatchObject({ kind: "compile-tensorrt", built: false, builder: "kit", provenance: "computed" });
    expect(report.kit.commands["10"]).toBe(
      "trtexec --onnx=model.onnx --saveEngine=model.engine --stronglyTyped --skipInference --profilingVerbosity=detailed --exportLayerInfo=layers.json",
    );
    expect(report.kit.commands["11"]).not.toContain("--stronglyTyped");
    expect(report.kit.files["model.onnx"].digest).toBe(model.digest);
    expect(await workspace.artifacts.readText(report.kit.files["build.sh"])).toContain(report.kit.commands["11"]);
    if (!outputs.report) throw new Error("no report");
    const cache = new ResultCache(new BlobStore(join(workspace.folder, ".edgewright")));
    const entry: CacheEntry = {
      version: 1,
      outputs: { report: outputs.report },
      previews: [],
      effects: "builds",
      ms: 1,
      time: "",
    };
    const named = await cache.blobsOf(entry);
    for (const { digest } of Object.values<{ digest: string }>(report.kit.files)) expect(named).toContain(digest);
    expect(logs).toEqual([expect.stringContaining(report.kit.path)]);
    expect(await workspace.artifacts.path({ kind: "engine", digest: report.kit.digest, size: 0, form: "tree" })).toBe(
      report.kit.path,
    );
  });

  it("wants the shapes of dynamic inputs, and puts them into the command", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "minilm-l6.onnx")));
    const params = { builder: "kit" as const };
    await expect(workspace.run(run, { inputs: { model }, params })).rejects.toThrow(
      'the input "input_ids" has the shape',
    );
    const range = { min: [1, 8], opt: [1, 32], max: [8, 128] };
    const shapes = { input_ids: range, attention_mask: range, token_type_ids: range };
    const { outputs } = await workspace.run(run, { inputs: { model }, params: { ...params, shapes } });
    const report = await reportOf(workspace, outputs.report);
    expect(report.kit.commands["10"]).toContain("--optShapes=input_ids:1x32,attention_mask:1x32,token_type_ids:1x32");
  });
});

describe.skipIf(!testData || !builderHome)(
  "compile-tensorrt with TensorRT for RTX (needs EDGEWRIGHT_TENSORRT_RTX and EDGEWRIGHT_TEST_DATA)",
  () => {
    it("builds engines with no GPU and reports the precision of each convolution", async () => {
      await using workspace = await openNodeWorkspace();
      const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "fastestdet.onnx")));
      const { outputs } = await workspace.run(run, {
        inputs: { model },
        params: { builder: "tensorrt-rtx", computeCapabilities: ["8.6", "8.9"] },
      });
      const report = await reportOf(workspace, outputs.report);
      expect(report).toMatchObject({ built: true, builder: "tensorrt-rtx 1.7.1.116" });
      expect(report.engines.map((engine: { file: string }) => engine.file)).toEqual([
        "model-sm86.engine",
        "model-sm89.engine",
      ]);
      for (const engine of report.engines) {
        expect(engine.convolutions).toEqual({ Float: 70 });
        expect(engine.convolutionsUnseen).toBeUndefined();
        expect(engine.sizeBytes).toBeGreaterThan(500_000);
      }
      expect(report.evidence).toContain("8.6, 8.9");
      if (!outputs.engine) throw new Error("no engine");
      expect(outputs.engine.form).toBe("tree");
      expect(Object.keys(await workspace.artifacts.files(outputs.engine))).toEqual([
        "model-sm86.engine",
        "model-sm89.engine",
      ]);
    });

    it("builds for dynamic inputs through an optimization profile", async () => {
      await using workspace = await openNodeWorkspace();
      const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "minilm-l6.onnx")));
      const range = { min: [1, 8], opt: [1, 32], max: [8, 128] };
      const shapes = { input_ids: range, attention_mask: range, token_type_ids: range };
      const { outputs } = await workspace.run(run, { inputs: { model }, params: { builder: "tensorrt-rtx", shapes } });
      expect(outputs.engine?.kind).toBe("engine");
    });

    it("says which compute capabilities there are", async () => {
      await using workspace = await openNodeWorkspace();
      const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "fastestdet.onnx")));
      const params = { builder: "tensorrt-rtx" as const, computeCapabilities: ["8.7"] };
      await expect(workspace.run(run, { inputs: { model }, params })).rejects.toMatchObject({
        code: "unsupported-capability",
        message: expect.stringContaining("7.5, 8.0, 8.6, 8.9, 12.0, 12.1"),
        fix: expect.stringContaining("kit"),
      });
    });
  },
);
