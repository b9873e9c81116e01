import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import { Graph, Model } from "../../onnx/ir/graph.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { writeModel } from "../../onnx/serde.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { openNodeWorkspace } from "../../test/support/runNode.ts";
import { createOrtRunner, meanPerOperator } from "./ortRunner.ts";

describe("meanPerOperator", () => {
  it("leaves the first run out and keeps the order of execution", () => {
    const event = (node: string, us: number) => ({ node, opType: "Conv", us });
    const events = [
      event("a", 9000),
      event("b", 9000),
      event("a", 1000),
      event("b", 10),
      event("a", 3000),
      event("b", 30),
    ];
    expect(meanPerOperator(events, 3)).toEqual([
      { node: "a", opType: "Conv", ms: 2 },
      { node: "b", opType: "Conv", ms: 0.02 },
    ]);
  });
});

describe("createOrtRunner", () => {
  it("opens, measures and optimises a model whose weights lie in files beside it", async () => {
    await using workspace = await openNodeWorkspace();
    const { artifacts, folder } = workspace;
    const graph = new Graph("g");
    const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 512] });
    const weights = new Float32Array(512 * 512).fill(0.5);
    const w = graph.addInitializer("w", Tensor.f32([512, 512], weights));
    const zero = graph.addInitializer("z", Tensor.f32([1], [0]));
    const product = graph.addNode({ opType: "MatMul", inputs: [x, w], outputs: ["p"] });
    const sum = graph.addNode({ opType: "Add", inputs: [product.output(), zero], outputs: ["y"] });
    sum.output().type = { elemType: DataType.FLOAT, shape: [1, 512] };
    graph.addOutput(sum.output());
    const model = new Model(graph);
    model.opsetImports.set("", 17);
    // As the store lays out what is above 256 MB.
    const data = await artifacts.put("model", new Uint8Array(weights.buffer));
    const place = { location: "weights.bin", offset: 0, length: weights.byteLength };
    const structure = await artifacts.putStream(
      writeModel(model, { placeExternal: (tensor) => (tensor.byteLength > 1e6 ? place : undefined) }),
    );
    const tree = await artifacts.putTree("model", { "model.onnx": structure, "weights.bin": data });
    const runner = createOrtRunner({ artifacts, tempDir: `${folder}/tmp` });

    const session = await runner.open(tree);
    const feeds = { x: { dataType: DataType.FLOAT, dims: [1, 512], data: new Float32Array(512).fill(1) } };
    expect((await session.run(feeds)).y?.data[0]).toBe(256);
    await session[Symbol.asyncDispose]();

    const optimized = await runner.optimize(tree, "extended");
    expect(optimized.form).toBe("tree");
    expect(Object.keys(await artifacts.files(optimized)).sort()).toEqual(["model.onnx", "weights.bin"]);
    const again = await runner.open(optimized);
    expect((await again.run(feeds)).y?.data[0]).toBe(256);
    await again[Symbol.asyncDispose]();

    const seen: number[] = [];
    const options = { warmup: 1, iterations: 5, threads: 1, onIteration: (done: number) => seen.push(done) };
    const measurement = await runner.measure(tree, options);
    expect(measurement.latenciesMs.length).toBe(5);
    expect(measurement.perOp.length).toBeGreaterThan(0);
    expect(await readdir(`${folder}/tmp`)).toEqual([]);
  });

  it("refuses an engine", async () => {
    await using workspace = await openNodeWorkspace();
    const runner = createOrtRunner({ artifacts: workspace.artifacts, tempDir: workspace.folder });
    const engine = await workspace.artifacts.put("engine", new Uint8Array([1]));
    await expect(runner.measure(engine, { warmup: 0, iterations: 1, threads: 1 })).rejects.toMatchObject({
      code: "no-tensorrt-runtime",
    });
  });
});

describe.skipIf(!testData)("createOrtRunner on a real model (needs EDGEWRIGHT_TEST_DATA)", () => {
  it("measures on every core when asked for 0 threads, and says on how many", async () => {
    await using workspace = await openNodeWorkspace();
    const { artifacts, folder } = workspace;
    const model = await artifacts.put("model", readFileSync(dataPath("models", "rfb-320.onnx")));
    const runner = createOrtRunner({ artifacts, tempDir: folder });
    const { threads, conditions } = await runner.measure(model, { warmup: 1, iterations: 3, threads: 0 });
    expect(threads).toBe(conditions.cores);
    expect(conditions).toMatchObject({ cpu: expect.any(String), peakMemorySince: expect.any(String) });
  });
});
