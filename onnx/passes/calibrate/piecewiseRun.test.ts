import { describe, expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { noiseTensor } from "../../../test/support/outputs.ts";
import type { EvaluationSession, Evaluator } from "../../evaluator.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { Tensor } from "../../ir/tensor.ts";
import { PiecewiseRun } from "./piecewiseRun.ts";

const DIMS = [1, 16, 128, 128];
const BYTES = 4 * DIMS.reduce((a, b) => a * b, 1);

/** A chain of Relu and Neg with a skip over all of it: a megabyte a tensor. */
function chain(length: number): Model {
  const graph = new Graph("chain");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: DIMS });
  const bias = graph.addInitializer("b", Tensor.f32([1], [0.25]));
  let at = x;
  for (let i = 0; i < length; i++) {
    const opType = i % 2 === 0 ? "Neg" : "Add";
    at = graph.addNode({ opType, inputs: opType === "Neg" ? [at] : [at, bias], outputs: [`v${i}`] }).output();
  }
  const y = graph.addNode({ opType: "Mul", inputs: [at, x], outputs: ["y"] }).output();
  graph.addOutput(y);
  return model;
}

/** Says what each session was asked to return. */
function watched(evaluator: Evaluator): { evaluator: Evaluator; opened: string[][]; closed: () => number } {
  const opened: string[][] = [];
  let closed = 0;
  const open: Evaluator["open"] = async (model, options) => {
    const session = await evaluator.open(model, options);
    opened.push(model.graph.outputs.map(({ name }) => name));
    return {
      run: (feeds) => session.run(feeds),
      async [Symbol.asyncDispose]() {
        closed++;
        await session[Symbol.asyncDispose]();
      },
    } satisfies EvaluationSession;
  };
  return { evaluator: { open }, opened, closed: () => closed };
}

describe("PiecewiseRun", () => {
  const ort = createOrtEvaluator({ tempDir: "unused" });
  const wanted = Array.from({ length: 12 }, (_, i) => `v${i}`).concat("y");

  it("shows what one run of the whole would, a few tensors at a time, and frees them", async () => {
    const feeds = { x: noiseTensor(DIMS) };
    const model = chain(12);
    await using whole = await ort.open(model, { alsoReturn: wanted });
    const expected = await whole.run(feeds);
    const { evaluator, opened, closed } = watched(ort);
    const seen: HostTensors[] = [];
    const values = new Map<string, Float32Array>();
    {
      await using run = await PiecewiseRun.open(model, wanted, { evaluator });
      await run.run(feeds, (tensors) => {
        seen.push(tensors);
        for (const [name, { data }] of Object.entries(tensors)) {
          expect(values.has(name)).toBe(false);
          values.set(name, Float32Array.from(data, Number));
        }
      });
    }
    expect(opened.length).toBeGreaterThan(2);
    expect(closed()).toBe(opened.length);
    expect([...values.keys()].sort()).toEqual(["x", ...wanted].sort());
    for (const name of wanted) expect(values.get(name), name).toEqual(expected[name]?.data);
    for (const tensors of seen.slice(1)) {
      const bytes = Object.keys(tensors).length * BYTES;
      expect(bytes).toBeLessThanOrEqual(5 * 2 ** 20);
      for (const { data } of Object.values(tensors)) expect(data.byteLength).toBe(0);
    }
    // Who fed them keeps them.
    expect(feeds.x.data.byteLength).toBe(BYTES);
  });

  it("runs a model that defines operators of its own whole, and frees what it gave", async () => {
    const model = chain(12);
    model.functions.push({ domain: "acme", name: "Unused" });
    const { evaluator, opened } = watched(ort);
    await using run = await PiecewiseRun.open(model, wanted, { evaluator });
    const seen: HostTensors[] = [];
    await run.run({ x: noiseTensor(DIMS) }, (tensors) => seen.push(tensors));
    expect(opened).toHaveLength(1);
    expect(Object.keys(seen[1] ?? {}).sort()).toEqual([...wanted].sort());
    for (const { data } of Object.values(seen[1] ?? {})) expect(data.byteLength).toBe(0);
  });
});
