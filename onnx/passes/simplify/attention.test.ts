import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectClose, noise, noiseTensor, outputsOf } from "../../../test/support/outputs.ts";
import { cloneModel } from "../../cloneModel.ts";
import { DataType } from "../../ir/dataType.ts";
import { type AttributeInput, Graph, Model, type Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { runPasses } from "../pass.ts";
import { simplify } from "./simplify.ts";

let tempDir = "";
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), "attention-"));
});
afterAll(() => rmSync(tempDir, { recursive: true, force: true }));

const [HEADS, WIDTH] = [2, 8];

interface Form {
  readonly opset?: number;
  /** How k is turned: at once, or as heads first and then again. */
  readonly key?: "once" | "twice";
  readonly scale?: "scores" | "query" | "none";
  /** Shape of what is added to the scores. */
  readonly mask?: readonly (number | string)[];
  /** Lets another node read the scores. */
  readonly read?: boolean;
}

/** x [batch, length, WIDTH] attends to itself. */
function attention({ opset = 17, key = "once", scale = "scores", mask, read = false }: Form): Model {
  const graph = new Graph("attention");
  const model = new Model(graph);
  model.opsetImports.set("", opset);
  model.irVersion = 10;
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: ["batch", "length", WIDTH] });
  const op = (opType: string, inputs: readonly Value[], attributes: Record<string, AttributeInput> = {}, out = "v") =>
    graph.addNode({ opType, inputs, outputs: [graph.freshName(out)], attributes }).output();
  const floats = (dims: readonly number[], data?: readonly number[]) =>
    graph.addInitializer(
      "c",
      Tensor.f32(
        dims,
        data ??
          noise(
            dims.reduce((a, b) => a * b, 1),
            graph.values.size,
          ),
      ),
    );
  const ints = (...data: readonly number[]) => graph.addInitializer("i", Tensor.i64([data.length], data));
  const factor = floats([], [0.5]);
  const heads = (perm: readonly number[], scaled = false) => {
    const sum = op("Add", [floats([WIDTH]), op("MatMul", [x, floats([WIDTH, WIDTH])])]);
    const made = scaled ? op("Mul", [sum, factor]) : sum;
    return op("Transpose", [op("Reshape", [made, ints(0, -1, HEADS, WIDTH / HEADS)])], { perm });
  };
  const q = heads([0, 2, 1, 3], scale === "query");
  const k = key === "once" ? heads([0, 2, 3, 1]) : op("Transpose", [heads([0, 2, 1, 3])], { perm: [0, 1, 3, 2] });
  const v = heads([0, 2, 1, 3]);
  const product = op("MatMul", [q, k]);
  const scores = scale === "scores" ? op("Mul", [product, factor]) : product;
  const masked = mask ? op("Add", [scores, graph.addInput("mask", { elemType: DataType.FLOAT, shape: mask })]) : scores;
  const joined = op("Transpose", [op("MatMul", [op("Softmax", [masked], { axis: -1 }), v])], { perm: [0, 2, 1, 3] });
  graph.addOutput(op("Reshape", [joined, ints(0, -1, WIDTH)], {}, "y"));
  if (read) graph.addOutput(op("Neg", [scores]));
  return model;
}

async function simplified(model: Model, mask?: readonly number[]) {
  const feeds = { x: noiseTensor([2, 5, WIDTH], 9), ...(mask && { mask: noiseTensor(mask, 10) }) };
  const after = cloneModel(model);
  const [result] = await runPasses(after, [simplify()]);
  expectClose(await outputsOf(model, feeds, tempDir), await outputsOf(after, feeds, tempDir), { rtol: 1e-5 });
  return { ops: after.graph.nodes.map(({ opType }) => opType), applied: result?.applied ?? {} };
}

describe("attention", () => {
  it.each(["scores", "query"] as const)("has the scale of its %s in the weights", async (scale) => {
    const { ops, applied } = await simplified(attention({ scale }));
    expect(applied["fold-scale-into-layer"]).toBe(1);
    expect(ops).not.toContain("Mul");
  });

  const forms: readonly (Form & { readonly fed?: readonly number[] })[] = [
    {},
    { key: "twice" },
    { scale: "query" },
    { scale: "none" },
    { mask: ["batch", 1, 1, "length"], fed: [2, 1, 1, 5] },
    { mask: ["length", "length"], fed: [5, 5] },
  ];
  it.each(forms)("is one operator in set 23: $key $scale $mask", async ({ fed, ...form }) => {
    const { ops, applied } = await simplified(attention({ ...form, opset: 23 }), fed);
    expect(applied["fuse-attention"]).toBe(1);
    expect(ops.filter((op) => ["Softmax", "Transpose", "Reshape", "Mul"].includes(op))).toEqual([]);
  });

  it("is left where a mask has another number of rows, or the scores are read", async () => {
    const other = await simplified(attention({ opset: 23, mask: [1, 1, 1, "other"] }), [1, 1, 1, 5]);
    expect(other.ops).toContain("Softmax");
    const read = await simplified(attention({ opset: 23, read: true }));
    expect(read.ops).toContain("Softmax");
  });

  it("keeps the scale where the scores are read before it is softened", async () => {
    const model = attention({ read: true });
    const { ops } = await simplified(model);
    expect(ops).toContain("Softmax");
  });
});
