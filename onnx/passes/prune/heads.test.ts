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

/** How queries, keys and values come about: a product each, or one product (ViT, GPT) parted in several ways. */
const FORMS = ["three products", "split heads", "gather heads", "slice heads", "split features"] as const;

interface Shape {
  readonly form: (typeof FORMS)[number];
  readonly heads: number;
  readonly width: number;
  readonly length: number | string;
}

/** Attention as exporters write it; `silent`: heads whose output nothing reads. */
function attention({ form, heads, width, length }: Shape, silent: readonly number[] = []): Model {
  const size = heads * width;
  const graph = new Graph("attention");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  let seed = 1;
  const constant = (dims: readonly number[]) => {
    const count = dims.reduce((a, b) => a * b, 1);
    return graph.addInitializer(`w${seed}`, Tensor.f32(dims, noise(count, seed++)));
  };
  const ints = (...data: readonly number[]) => graph.addInitializer(`i${seed++}`, Tensor.i64([data.length], data));
  type Attributes = Record<string, number | readonly number[]>;
  const node = (opType: string, inputs: readonly Value[], attributes: Attributes = {}, outputs = 1) => {
    const name = `n${graph.nodes.length}`;
    const names = Array.from({ length: outputs }, (_, i) => `${name}_y${i}`);
    return graph.addNode({ opType, name, inputs, outputs: names, attributes });
  };
  const op = (opType: string, inputs: readonly Value[], attributes: Attributes = {}) =>
    node(opType, inputs, attributes).output();
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, length, size] });
  const project = (to: number) => op("Add", [op("MatMul", [x, constant([size, to])]), constant([to])]);
  const part = (from: Value) =>
    op("Transpose", [op("Reshape", [from, ints(0, 0, heads, width)])], { perm: [0, 2, 1, 3] });
  const stacked = () =>
    op("Transpose", [op("Reshape", [project(3 * size), ints(0, 0, 3, heads, width)])], { perm: [2, 0, 3, 1, 4] });
  const threeOf = (): Value[] => {
    switch (form) {
      case "three products":
        return [0, 1, 2].map(() => part(project(size)));
      case "split features": {
        const halves = node("Split", [project(3 * size), ints(size, size, size)], { axis: 2 }, 3);
        return halves.outputs.flatMap((value) => (value ? [part(value)] : []));
      }
      case "split heads": {
        const thirds = node("Split", [stacked(), ints(1, 1, 1)], { axis: 0 }, 3);
        return thirds.outputs.flatMap((value) => (value ? [op("Squeeze", [value, ints(0)])] : []));
      }
      case "gather heads": {
        const all = stacked();
        const index = (i: number) => graph.addInitializer(`index${i}`, Tensor.i64([], [i]));
        return [0, 1, 2].map((i) => op("Gather", [all, index(i)], { axis: 0 }));
      }
      case "slice heads": {
        const all = stacked();
        return [0, 1, 2].map((i) => op("Squeeze", [op("Slice", [all, ints(i), ints(i + 1), ints(0)]), ints(0)]));
      }
    }
  };
  const [q, k, v] = threeOf();
  if (!q || !k || !v) throw new Error("three parts");
  const scores = op("MatMul", [q, op("Transpose", [k], { perm: [0, 1, 3, 2] })]);
  const shares = op("Softmax", [op("Div", [scores, graph.addInitializer("scale", Tensor.f32([], [2]))])]);
  const mixed = op("Transpose", [op("MatMul", [shares, v])], { perm: [0, 2, 1, 3] });
  const joined = op("Reshape", [mixed, ints(0, 0, size)]);
  const out = noise(size * 5, 99).map((w, at) => (silent.includes(Math.floor(at / (5 * width))) ? 0 : w));
  graph.addOutput(op("MatMul", [joined, graph.addInitializer("out", Tensor.f32([size, 5], out))]));
  return model;
}

const sizes = [
  { heads: 4, width: 3, length: 6 },
  { heads: 4, width: 3, length: "length" },
  { heads: 2, width: 8, length: 6 },
];

describe("attention heads", () => {
  it.each(FORMS.flatMap((form) => sizes.map((size) => ({ form, ...size }))))(
    "leave whole, queries, keys and values together ($form, $heads x $width, length $length)",
    async (shape) => {
      const model = attention(shape);
      inferShapes(model);
      const { groups } = solveDependencies(model);
      const { form, heads, width } = shape;
      const channels = form === "three products" ? width : 3 * width;
      expect(groups.map((group) => `${group.units.length}x${group.width}`)).toEqual([`${heads}x${channels}`]);
      await cutUnits(model, [[...(groups[0]?.units[1] ?? [])]]);
      const feeds = { x: noiseTensor([1, 6, heads * width]) };
      const silent = await outputsOf(attention(shape, [1]), feeds, tempDir);
      expectClose(silent, await outputsOf(model, feeds, tempDir), { rtol: 1e-5 });
    },
  );
});
