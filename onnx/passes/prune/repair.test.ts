import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { noise, noiseTensor, outputsOf, relativeErrors } from "../../../test/support/outputs.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model, type Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { extract } from "./extract.ts";
import { pruneChannels } from "./prune.ts";

let tempDir = "";
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), "repair-"));
});
afterAll(() => rmSync(tempDir, { recursive: true, force: true }));

const HIDDEN = 8;

/**
 * A hidden layer whose second half repeats its first half with other weights: half of its channels are redundant, and
 * a refit of the layer behind can make good for them without error.
 */
function redundant(kind: "conv" | "depthwise" | "matmul"): Model {
  const graph = new Graph("redundant");
  const model = new Model(graph);
  model.opsetImports.set("", 13);
  const constant = (dims: readonly number[], data: Float32Array) => graph.addInitializer("w", Tensor.f32(dims, data));
  const op = (opType: string, inputs: readonly Value[], attributes: Record<string, number | readonly number[]> = {}) =>
    graph.addNode({ opType, inputs, outputs: [`y${graph.nodes.length}`], attributes }).output();
  const half = noise((HIDDEN / 2) * 3, 3);
  const doubled = Float32Array.from([...half, ...half.map((w) => 4 * w)]);
  let y: Value;
  if (kind === "matmul") {
    const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [16, 3] });
    const first = new Float32Array(3 * HIDDEN);
    for (const at of first.keys()) first[at] = doubled[(at % HIDDEN) * 3 + Math.floor(at / HIDDEN)] ?? 0;
    const hidden = op("Relu", [op("MatMul", [x, constant([3, HIDDEN], first)])]);
    y = op("MatMul", [hidden, constant([HIDDEN, 4], noise(HIDDEN * 4, 9))]);
  } else {
    const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 3, 6, 6] });
    let hidden = op("Relu", [op("Conv", [x, constant([HIDDEN, 3, 1, 1], doubled)])]);
    if (kind === "depthwise") {
      const window = noise(9, 5);
      const windows = Float32Array.from({ length: HIDDEN * 9 }, (_, i) => window[i % 9] ?? 0);
      hidden = op("Conv", [hidden, constant([HIDDEN, 1, 3, 3], windows)], { group: HIDDEN, pads: [1, 1, 1, 1] });
    }
    y = op("Conv", [hidden, constant([4, HIDDEN, 3, 3], noise(HIDDEN * 36, 9))], { pads: [1, 1, 1, 1] });
  }
  graph.addOutput(y);
  return model;
}

describe("repair", () => {
  it.each(["conv", "depthwise", "matmul"] as const)("makes good for redundant channels of a %s", async (kind) => {
    const dims = kind === "matmul" ? [16, 3] : [1, 3, 6, 6];
    const items = Array.from({ length: 40 }, (_, i) => ({ x: noiseTensor(dims, i + 1) }));
    const fresh = { x: noiseTensor(dims, 777) };
    const evaluator = createOrtEvaluator({ tempDir });
    const errorOf = async (repair: boolean) => {
      const model = redundant(kind);
      const original = extract(model, [`y${model.graph.nodes.length - 1}`]);
      const options = { keep: 0.5, scope: "global", importance: "l2", multiple: 1, repair, items } as const;
      const outcome = await pruneChannels(model, options, { evaluator });
      expect(outcome.macsAfter / outcome.macsBefore).toBeCloseTo(0.5, 5);
      const [before, after] = [await outputsOf(original, fresh, tempDir), await outputsOf(model, fresh, tempDir)];
      return Object.values(relativeErrors(before, after))[0];
    };
    expect(await errorOf(false)).toBeGreaterThan(0.1);
    // What is left is the pull of the ridge towards the weights as they were cut.
    expect(await errorOf(true)).toBeLessThan(0.02);
  });
});
