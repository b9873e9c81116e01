import { mkdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Dim } from "../../onnx/ir/graph.ts";
import { Graph, Model } from "../../onnx/ir/graph.ts";
import { memorySource, Tensor } from "../../onnx/ir/tensor.ts";
import { modelBytes, readModel, writeModel } from "../../onnx/serde.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import { loadModelReport } from "./report.ts";
import { run } from "./run.ts";

interface Params {
  readonly sha256?: string;
  readonly inputShapes?: Record<string, number[]>;
}

/** A convolution of 3 to 8 channels over pictures of `size`, then a mean over the picture. */
function tinyModel(size: readonly [Dim, Dim, Dim, Dim] = [1, 3, 8, 8]): Model {
  const graph = new Graph("tiny");
  const model = new Model(graph);
  model.opsetImports.set("", 13);
  const x = graph.addInput("x", { elemType: 1, shape: size });
  const w = graph.addInitializer("w", Tensor.f32([8, 3, 3, 3], new Float32Array(216).fill(0.1)));
  const conv = graph.addNode({ opType: "Conv", inputs: [x, w], outputs: ["c"], attributes: { pads: [1, 1, 1, 1] } });
  const pool = graph.addNode({ opType: "GlobalAveragePool", inputs: [conv.output()], outputs: ["y"] });
  pool.output().type = { elemType: 1, shape: [size[0], 8, 1, 1] };
  graph.addOutput(pool.output());
  return model;
}

async function load(workspace: NodeWorkspace, source: string, params: Params = {}) {
  const { outputs, logs, warnings } = await workspace.run(run, { inputs: {}, params, sources: { source } });
  if (!outputs.model || !outputs.report) throw new Error("an output is missing");
  const report = loadModelReport.parse(await workspace.artifacts.readJson(outputs.report));
  return { model: outputs.model, report, logs: [...logs, ...warnings] };
}

async function write(workspace: NodeWorkspace, name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(workspace.folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

async function refusal(promise: Promise<unknown>): Promise<{ code: string; message: string; fix: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error && "code" in error && "fix" in error) {
      return { code: String(error.code), message: error.message, fix: String(error.fix) };
    }
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("load-model", () => {
  it("hands on an untouched file as it is and reports what it costs", async () => {
    await using workspace = await openNodeWorkspace();
    const bytes = await modelBytes(tinyModel());
    const { model, report } = await load(workspace, await write(workspace, "tiny.onnx", bytes));
    expect(await workspace.artifacts.read(model)).toEqual(Buffer.from(bytes));
    expect(report).toMatchObject({
      file: "tiny.onnx",
      fileBytes: bytes.length,
      opset: 13,
      inputs: [{ name: "x", dtype: "f32", shape: [1, 3, 8, 8] }],
      outputs: [{ name: "y", dtype: "f32", shape: [1, 8, 1, 1] }],
      operators: { Conv: 1, GlobalAveragePool: 1 },
      parameters: 216,
      weightBytes: 864,
      macs: 8 * 8 * 8 * 27,
      stages: [{ height: 8, channels: 8, macs: 8 * 8 * 8 * 27 }],
      warnings: [],
    });
  });

  it("tells what a known model wants, at the size of its own input; of another it says nothing", async () => {
    await using workspace = await openNodeWorkspace();
    const path = await write(workspace, "tiny.onnx", await modelBytes(tinyModel([1, 3, 24, 8])));
    const unknown = await workspace.run(run, { inputs: {}, sources: { source: path } });
    expect(unknown.outputs.settings).toBeUndefined();

    const known = { title: "Tiny", preprocess: { width: 640, height: 640, mode: "crop" }, nms: { classes: "cat" } };
    const digest = unknown.outputs.model?.digest ?? "";
    const source = [{ name: "tiny.onnx", digest, size: unknown.outputs.model?.size ?? 0, known }];
    const { outputs, logs } = await workspace.run(run, { inputs: {}, overrides: { sources: { source } } });
    expect(outputs.settings && (await workspace.artifacts.readJson(outputs.settings))).toEqual({
      kind: "settings",
      version: 1,
      title: "Tiny",
      preprocess: { width: 8, height: 24, mode: "crop", layout: "NCHW", dtype: "f32" },
      nms: { classes: "cat" },
    });
    expect(logs.join()).toContain("known as Tiny");
    expect(outputs.model).toEqual(unknown.outputs.model);
  });

  it("freezes a symbol everywhere it stands", async () => {
    await using workspace = await openNodeWorkspace();
    const source = await write(workspace, "tiny.onnx", await modelBytes(tinyModel(["n", 3, null, "w"])));
    const before = await load(workspace, source);
    expect(before.report.warnings.map(({ code }) => code)).toEqual(["dynamic-shape"]);
    expect(before.report.macs).toBeUndefined();

    const { model, report } = await load(workspace, source, { inputShapes: { x: [2, 3, 16, 8] } });
    expect(report.inputs[0]?.shape).toEqual([2, 3, 16, 8]);
    expect(report.outputs[0]?.shape).toEqual([2, 8, 1, 1]);
    expect(report.macs).toBe(2 * 16 * 8 * 8 * 27);
    const frozen = await workspace.artifacts.openModel(model);
    expect(frozen.graph.inputs[0]?.shape).toEqual([2, 3, 16, 8]);
    expect(frozen.graph.outputs[0]?.shape).toEqual([2, 8, 1, 1]);
  });

  it.each([
    ["unknown-input", { image: [1, 3, 8, 8] }, 'no input "image"', "x [n, 3, h, w]"],
    ["input-shape", { x: [1, 3, 8] }, "4 dimensions", "dynamic dimension"],
    ["input-shape", { x: [1, 4, 8, 8] }, "dimension 1 is fixed", "dynamic dimension"],
  ])("refuses a shape that does not fit: %s", async (code, inputShapes, message, fix) => {
    await using workspace = await openNodeWorkspace();
    const source = await write(workspace, "tiny.onnx", await modelBytes(tinyModel(["n", 3, "h", "w"])));
    const refused = await refusal(load(workspace, source, { inputShapes }));
    expect(refused.code).toBe(code);
    expect(refused.message).toContain(message);
    expect(refused.fix).toContain(fix);
  });

  it.each([
    ["not-onnx", "PK\x03\x04 and so on", "zip archive"],
    ["not-onnx", "<!DOCTYPE html>", "web page"],
    ["not-onnx", "", "empty file"],
    ["not-onnx", "garbage, plainly", "a text file, not an ONNX model"],
    ["bad-tag", "\x0fgarbage", "no field"],
  ])("says what a file is that is no model: %s", async (code, content, message) => {
    await using workspace = await openNodeWorkspace();
    const refused = await refusal(load(workspace, await write(workspace, "model.onnx", content)));
    expect(refused.code).toBe(code);
    expect(refused.message).toContain('"model.onnx"');
    expect(refused.message).toContain(message);
  });

  it.each([
    ["IR version 99", 99, 17],
    ["opset 99", 8, 99],
  ])("refuses %s, which no runtime here knows", async (what, irVersion, opset) => {
    await using workspace = await openNodeWorkspace();
    const model = tinyModel();
    model.irVersion = irVersion;
    model.opsetImports.set("", opset);
    const refused = await refusal(load(workspace, await write(workspace, "new.onnx", await modelBytes(model))));
    expect(refused).toMatchObject({ code: "newer-onnx", message: expect.stringContaining(what) });
  });

  it("warns of an operator that nobody knows", async () => {
    await using workspace = await openNodeWorkspace();
    const model = tinyModel();
    const { graph } = model;
    graph.addNode({ opType: "Frobnicate", inputs: graph.feeds.slice(0, 1), outputs: ["f"] });
    const source = await write(workspace, "odd.onnx", await modelBytes(model));
    const { warnings } = await workspace.run(run, { inputs: {}, sources: { source } });
    expect(warnings).toEqual([expect.stringContaining("Frobnicate")]);
  });

  it("asks for a source, and for another one where the digest is wrong", async () => {
    await using workspace = await openNodeWorkspace();
    const none = await refusal(workspace.run(run, { inputs: {} }));
    expect(none).toMatchObject({ code: "no-source", fix: expect.stringContaining("--set") });
    const source = await write(workspace, "tiny.onnx", await modelBytes(tinyModel()));
    expect((await refusal(load(workspace, source, { sha256: "0".repeat(64) }))).code).toBe("wrong-sha256");
  });

  it("finds the only model of a folder, and names those of a folder with several", async () => {
    await using workspace = await openNodeWorkspace();
    const bytes = await modelBytes(tinyModel());
    await write(workspace, "one/model.onnx", bytes);
    await write(workspace, "one/README.md", "about");
    const { report } = await load(workspace, join(workspace.folder, "one"));
    expect(report.file).toBe("model.onnx");
    await write(workspace, "one/other.onnx", bytes);
    const refused = await refusal(load(workspace, join(workspace.folder, "one")));
    expect(refused).toMatchObject({
      code: "several-models",
      message: expect.stringContaining("model.onnx, other.onnx"),
    });
  });
});

describe("load-model with external data", () => {
  /** `w` lies in a data file at this location. */
  async function writeExternal(workspace: NodeWorkspace, location: string): Promise<string> {
    const place = { location, offset: 0, length: 864 };
    const chunks: Uint8Array[] = [];
    for await (const chunk of writeModel(tinyModel(), { placeExternal: () => place })) chunks.push(chunk);
    return write(workspace, "folder/model.onnx", Buffer.concat(chunks));
  }
  const weights = new Uint8Array(864).fill(7);

  it("finds it within the folder and makes one file of both", async () => {
    await using workspace = await openNodeWorkspace();
    await writeExternal(workspace, "data/w.bin");
    await write(workspace, "folder/data/w.bin", weights);
    const { model, report } = await load(workspace, join(workspace.folder, "folder"));
    expect(report.parameters).toBe(216);
    const { graph } = await readModel(memorySource(await workspace.artifacts.read(model)));
    expect(await graph.values.get("w")?.initializer?.bytes()).toEqual(weights);
  });

  it("takes a large model's own files as they are: nothing is copied", { timeout: 60_000 }, async () => {
    await using workspace = await openNodeWorkspace();
    await writeExternal(workspace, "data/w.bin");
    const path = await write(workspace, "folder/data/w.bin", weights);
    // The rest is a hole in the file.
    await truncate(path, 257 * 2 ** 20);
    const { model } = await load(workspace, join(workspace.folder, "folder"));
    expect(model.form).toBe("tree");
    expect(Object.keys(await workspace.artifacts.files(model)).sort()).toEqual(["data/w.bin", "model.onnx"]);
    const { graph } = await workspace.artifacts.openModel(model);
    expect(new Uint8Array((await graph.values.get("w")?.initializer?.bytes()) ?? [])).toEqual(weights);
  });

  it("asks for the file, or for the folder where only the model was chosen", async () => {
    await using workspace = await openNodeWorkspace();
    const path = await writeExternal(workspace, "w.bin");
    await write(workspace, "folder/README.md", "about");
    const inFolder = await refusal(load(workspace, join(workspace.folder, "folder")));
    expect(inFolder).toMatchObject({ code: "missing-data", fix: expect.stringContaining("Copy that file") });
    expect((await refusal(load(workspace, path))).fix).toContain("Choose the folder");
  });

  it("never leaves the folder, by name or by link", async () => {
    await using workspace = await openNodeWorkspace();
    await write(workspace, "w.bin", weights);
    await writeExternal(workspace, "../w.bin");
    await write(workspace, "folder/README.md", "about");
    expect((await refusal(load(workspace, join(workspace.folder, "folder")))).code).toBe("external-location");
    await writeExternal(workspace, "w.bin");
    await symlink(join(workspace.folder, "w.bin"), join(workspace.folder, "folder", "w.bin"));
    expect((await refusal(load(workspace, join(workspace.folder, "folder")))).code).toBe("outside-workspace");
  });

  it("refuses a data file that is too short", async () => {
    await using workspace = await openNodeWorkspace();
    await writeExternal(workspace, "w.bin");
    await write(workspace, "folder/w.bin", weights.subarray(4));
    const refused = await refusal(load(workspace, join(workspace.folder, "folder")));
    expect(refused).toMatchObject({ code: "external-range", message: expect.stringContaining("860 bytes") });
  });
});

describe("load-model warns", () => {
  const node =
    (opType: string, domain = "") =>
    (model: Model) => {
      const [x] = model.graph.inputs;
      model.graph.addNode({ opType, domain, inputs: [x ?? null], outputs: ["extra"] });
    };
  const cases: [string, (model: Model) => void][] = [
    ["old-opset", (model) => void model.opsetImports.set("", 9)],
    ["custom-domain", node("Magic", "acme")],
    ["unknown-operator", node("Magic")],
    ["data-dependent-shape", node("NonZero")],
    ["quantised", node("DequantizeLinear")],
    ["q-operators", node("ConvInteger")],
    ["weights-among-inputs", ({ graph }) => void graph.initializers.map((value) => graph.listInput(value))],
    [
      "unfused-batchnorm",
      ({ graph }) => {
        const conv = graph.nodes[0]?.output();
        const vector = graph.addInitializer("v", Tensor.f32([8], new Float32Array(8).fill(1)));
        if (!conv) throw new Error("no Conv");
        graph.addNode({
          opType: "BatchNormalization",
          inputs: [conv, vector, vector, vector, vector],
          outputs: ["bn"],
        });
      },
    ],
    [
      "float64",
      ({ graph }) => {
        const [x] = graph.inputs;
        graph.addNode({ opType: "Cast", inputs: [x ?? null], outputs: ["d"], attributes: { to: 11 } });
      },
    ],
  ];
  it.each(cases)("%s", async (code, change) => {
    await using workspace = await openNodeWorkspace();
    const model = tinyModel();
    change(model);
    const { report, logs } = await load(workspace, await write(workspace, "m.onnx", await modelBytes(model)));
    const warning = report.warnings.find((candidate) => candidate.code === code);
    expect(warning?.fix).toMatch(/\.$/);
    expect(logs).toContain(`${warning?.message}. ${warning?.fix}`);
  });

  it("and puts nodes in order that stand in none", async () => {
    await using workspace = await openNodeWorkspace();
    const disorderly = tinyModel();
    disorderly.graph.nodes.reverse();
    const { model } = await load(workspace, await write(workspace, "m.onnx", await modelBytes(disorderly)));
    const { graph } = await workspace.artifacts.openModel(model);
    expect(graph.nodes.map(({ opType }) => opType)).toEqual(["Conv", "GlobalAveragePool"]);
  });
});

describe.skipIf(!testData)("load-model on real models (needs EDGEWRIGHT_TEST_DATA)", () => {
  it.each([
    ["fastestdet.onnx", { opset: 11, inputs: [{ name: "input.1", dtype: "f32", shape: [1, 3, 352, 352] }] }],
    ["yolox-nano.onnx", { opset: 11, outputs: [{ name: "output", dtype: "f32", shape: [1, 3549, 85] }] }],
    ["rfb-320.onnx", { opset: 9, inputs: [{ name: "input", dtype: "f32", shape: [1, 3, 240, 320] }] }],
  ])("%s", async (name, expected) => {
    await using workspace = await openNodeWorkspace();
    const path = dataPath("models", name);
    const { model, report } = await load(workspace, path);
    expect(report).toMatchObject(expected);
    expect(report.fileBytes).toBe((await readFile(path)).length);
    expect(report.macs).toBeGreaterThan(1e7);
    expect(report.stages.length).toBeGreaterThan(3);
    expect(report.warnings.map(({ code }) => code)).toContain("old-opset");
    expect(model.size).toBe(report.fileBytes);
  });
});
