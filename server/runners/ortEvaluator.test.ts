import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import { Graph, Model } from "../../onnx/ir/graph.ts";
import { memorySource, Tensor } from "../../onnx/ir/tensor.ts";
import { readModel } from "../../onnx/serde.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { openOrtSession } from "./ort.ts";
import { createOrtEvaluator } from "./ortEvaluator.ts";
import { seededInputs } from "./seededInputs.ts";

let tempDir: string;
beforeAll(async () => {
  tempDir = await mkdtemp(join(tmpdir(), "edgewright-evaluator-"));
});
afterAll(() => rm(tempDir, { recursive: true, force: true }));

/** y = relu(x + w); `words` f32 elements. */
function addAndRelu(words: number, w: Tensor): Model {
  const graph = new Graph("g");
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [words] });
  const sum = graph.addNode({ opType: "Add", inputs: [x, graph.addInitializer("w", w)], outputs: ["sum"] });
  const relu = graph.addNode({ opType: "Relu", inputs: [sum.output()], outputs: ["y"] });
  relu.output().type = { elemType: DataType.FLOAT, shape: [words] };
  graph.addOutput(relu.output());
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  return model;
}

describe("createOrtEvaluator", () => {
  const feed = { x: { dataType: DataType.FLOAT, dims: [3], data: new Float32Array([1, 2, 3]) } };

  it("returns values that are no outputs, feeds and constants among them, and leaves the graph as it was", async () => {
    const model = addAndRelu(3, Tensor.f32([3], [-2, 0, 2]));
    const session = await createOrtEvaluator({ tempDir }).open(model, { alsoReturn: ["sum", "x", "w", "y"] });
    const results = await session.run(feed);
    expect(Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...data]]))).toEqual({
      x: [1, 2, 3],
      w: [-2, 0, 2],
      sum: [-1, 2, 5],
      y: [0, 2, 5],
    });
    expect(model.graph.outputs.map((value) => value.name)).toEqual(["y"]);
    await session[Symbol.asyncDispose]();
  });

  it("names the value that a graph lacks", async () => {
    const model = addAndRelu(3, Tensor.f32([3], [0, 0, 0]));
    await expect(createOrtEvaluator({ tempDir }).open(model, { alsoReturn: ["z"] })).rejects.toThrow('no value "z"');
  });

  it("opens a model too large for memory through a file, and removes it", async () => {
    const words = 65 * 2 ** 20;
    const pattern = new Uint8Array(Float32Array.from({ length: 1024 }, (_, i) => i - 512).buffer);
    const source = {
      size: words * 4,
      read: async (_offset: number, length: number) => {
        const bytes = new Uint8Array(length);
        for (let at = 0; at < length; at += pattern.length) bytes.set(pattern.subarray(0, length - at), at);
        return bytes;
      },
    };
    const w = new Tensor(DataType.FLOAT, [words], { ref: { source, offset: 0, length: words * 4 } });
    const session = await createOrtEvaluator({ tempDir }).open(addAndRelu(words, w));
    const { y } = await session.run({ x: { dataType: DataType.FLOAT, dims: [words], data: new Float32Array(words) } });
    expect([0, 511, 513, 1023, words - 1].map((i) => y?.data[i])).toEqual([0, 0, 1, 511, 511]);
    await session[Symbol.asyncDispose]();
    expect(await readdir(tempDir)).toEqual([]);
  });
});

describe.skipIf(!testData)("createOrtEvaluator on a real model (needs EDGEWRIGHT_TEST_DATA)", () => {
  it("gives what the file itself gives", async () => {
    const path = dataPath("models", "fastestdet.onnx");
    const model = await readModel(memorySource(readFileSync(path)));
    const plain = await openOrtSession(path);
    const session = await createOrtEvaluator({ tempDir }).open(model, { alsoReturn: ["input.8"], threads: 1 });
    const feeds = seededInputs(plain.inputs);
    const results = await session.run(feeds);
    expect(results["758"]?.data).toEqual((await plain.run(feeds))["758"]?.data);
    expect(results["input.8"]?.dims).toEqual([1, 24, 88, 88]);
    await session[Symbol.asyncDispose]();
    await plain[Symbol.asyncDispose]();
  });
});
