import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectClose, noise, noiseTensor, outputsOf } from "../../../test/support/outputs.ts";
import { inferShapes } from "../../infer.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model, type Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { cutUnits } from "./cut.ts";
import { solveDependencies } from "./groups.ts";

let tempDir = "";
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), "heads-"));
});
afterAll(() => rmSync(tempDir, { recursive: true, force: true }));

const [HEADS, WIDTH] = [4, 3];
const SIZE = HEADS * WIDTH;

/** Attention as BERT writes it, over a length that is known or not; `silent`: heads whose output nothing reads. */
function attention(length: number | string, silent: readonly number[] = []): Model {
  const graph = new Graph("attention");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  let seed = 1;
  const constant = (dims: readonly number[]) => {
    const count = dims.reduce((a, b) => a * b, 1);
    return graph.addInitializer(`w${seed}`, Tensor.f32(dims, noise(count, seed++)));
  };
  const ints = (data: readonly number[]) => graph.addInitializer(`i${seed++}`, Tensor.i64([data.length], data));
  const op = (
    opType: string,
    inputs: readonly Value[],
    attributes: Record<string, number | readonly number[]> = {},
  ) => {
    const name = `n${graph.nodes.length}`;
    return graph.addNode({ opType, name, inputs, outputs: [`${name}_y`], attributes }).output();
  };
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, length, SIZE] });
  const heads = (perm: readonly number[]) => {
    const projected = op("Add", [op("MatMul", [x, constant([SIZE, SIZE])]), constant([SIZE])]);
    return op("Transpose", [op("Reshape", [projected, ints([0, 0, HEADS, WIDTH])])], { perm });
  };
  const scores = op("MatMul", [heads([0, 2, 1, 3]), heads([0, 2, 3, 1])]);
  const shares = op("Softmax", [op("Div", [scores, graph.addInitializer("scale", Tensor.f32([], [2]))])], { axis: -1 });
  const mixed = op("Transpose", [op("MatMul", [shares, heads([0, 2, 1, 3])])], { perm: [0, 2, 1, 3] });
  const joined = op("Reshape", [mixed, ints([0, 0, SIZE])]);
  const out = noise(SIZE * 5, 99).map((w, at) => (silent.includes(Math.floor(at / (5 * WIDTH))) ? 0 : w));
  graph.addOutput(op("MatMul", [joined, graph.addInitializer("out", Tensor.f32([SIZE, 5], out))]));
  return model;
}

describe("attention heads", () => {
  it.each([6, "length"])("leave whole, queries, keys and values together (length %s)", async (length) => {
    const model = attention(length);
    inferShapes(model);
    const { groups } = solveDependencies(model);
    expect(groups.map(({ units, width }) => `${units.length}x${width}`)).toEqual([`${HEADS}x${WIDTH}`]);
    const removed = [1, 3].flatMap((head) => groups[0]?.units[head] ?? []);
    await cutUnits(model, [removed]);
    const feeds = { x: noiseTensor([1, 6, SIZE]) };
    const silent = await outputsOf(attention(length, [1, 3]), feeds, tempDir);
    expectClose(silent, await outputsOf(model, feeds, tempDir), { rtol: 1e-5 });
  });
});
