import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { expectClose, outputsOf } from "../../../test/support/outputs.ts";
import { tinyTransformer, transformerItems } from "../../../test/support/tinyTransformer.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model, type Value } from "../../ir/graph.ts";
import { memorySource, Tensor } from "../../ir/tensor.ts";
import { modelBytes, readModel } from "../../serde.ts";
import { upgradeOpset } from "../upgradeOpset.ts";
import { simplify } from "./simplify.ts";

let tempDir = "";
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), "gelu-"));
});
afterAll(() => rmSync(tempDir, { recursive: true, force: true }));

type Op = (opType: string, ...inputs: readonly Value[]) => Value;
type Number_ = (x: number) => Value;

function modelOf(build: (x: Value, op: Op, number: Number_) => Value, opset: number): Model {
  const graph = new Graph("gelu");
  const model = new Model(graph);
  model.opsetImports.set("", opset);
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [2, 33] });
  const op: Op = (opType, ...inputs) => {
    const name = `n${graph.nodes.length}`;
    return graph.addNode({ opType, name, inputs, outputs: [`${name}_y`] }).output();
  };
  const out = build(x, op, (value) => graph.addInitializer("c", Tensor.f32([], [value])));
  out.type = { elemType: DataType.FLOAT, shape: [2, 33] };
  graph.addOutput(out);
  return model;
}

const forms: Readonly<Record<string, (x: Value, op: Op, number: Number_) => Value>> = {
  "x, gate, half": (x, op, n) =>
    op("Mul", op("Mul", x, op("Add", op("Erf", op("Div", x, n(Math.SQRT2))), n(1))), n(0.5)),
  "half of x first": (x, op, n) =>
    op("Mul", op("Mul", n(0.5), x), op("Add", n(1), op("Erf", op("Mul", x, n(Math.SQRT1_2))))),
  "half of the gate": (x, op, n) =>
    op("Mul", op("Mul", op("Add", op("Erf", op("Div", x, n(Math.round(Math.SQRT2 * 1e5) / 1e5))), n(1)), n(0.5)), x),
  tanh: (x, op, n) => {
    const cubic = op("Mul", op("Pow", x, n(3)), n(0.044715));
    const bent = op("Tanh", op("Mul", op("Add", x, cubic), n(0.7978845608)));
    return op("Mul", op("Mul", n(0.5), x), op("Add", bent, n(1)));
  },
};

const x = { dataType: DataType.FLOAT, dims: [2, 33], data: Float32Array.from({ length: 66 }, (_, i) => (i - 33) / 7) };

describe.each(Object.entries(forms))("%s", (_, build) => {
  it("becomes one Gelu that computes the same", async () => {
    const model = modelOf(build, 20);
    const before = await outputsOf(model, { x }, tempDir);
    const { applied } = await simplify().run(model, { evaluator: createOrtEvaluator({ tempDir }) });
    expect(applied["fuse-gelu"]).toBe(1);
    expect(model.graph.nodes.map(({ opType }) => opType)).toEqual(["Gelu"]);
    expectClose(await outputsOf(model, { x }, tempDir), before, { rtol: 1e-5 });
  });
});

it("stays as it is below operator set 20, with the reason", async () => {
  const model = modelOf(forms["x, gate, half"] ?? ((value) => value), 17);
  const { notes } = await simplify().run(model, {});
  expect(notes).toContainEqual(
    expect.objectContaining({ rule: "fuse-gelu", reason: expect.stringContaining("opset 20") }),
  );
});

it.each([
  [
    "another factor",
    (v: Value, op: Op, n: Number_) =>
      op("Mul", op("Mul", v, op("Add", op("Erf", op("Div", v, n(Math.SQRT2))), n(1))), n(0.6)),
  ],
  [
    "another divisor",
    (v: Value, op: Op, n: Number_) => op("Mul", op("Mul", v, op("Add", op("Erf", op("Div", v, n(1.5))), n(1))), n(0.5)),
  ],
  [
    "another value",
    (v: Value, op: Op, n: Number_) =>
      op("Mul", op("Mul", op("Abs", v), op("Add", op("Erf", op("Div", v, n(Math.SQRT2))), n(1))), n(0.5)),
  ],
])("leaves what only looks like one: %s", async (_, build) => {
  const model = modelOf(build, 20);
  expect((await simplify().run(model, {})).applied["fuse-gelu"]).toBeUndefined();
});

it("a transformer of operator set 11 has its normalisations and Gelus back in set 20", async () => {
  const model = await readModel(memorySource(await modelBytes(tinyTransformer("bert", 11))));
  const [item = {}] = transformerItems("bert", 1);
  const before = await outputsOf(model, item, tempDir);
  upgradeOpset(model, 20);
  await simplify().run(model, { evaluator: createOrtEvaluator({ tempDir }) });
  const count = (opType: string) => model.graph.nodes.filter((node) => node.opType === opType).length;
  expect([count("LayerNormalization"), count("Gelu"), count("Erf"), count("Sqrt")]).toEqual([5, 2, 0, 0]);
  expectClose(await outputsOf(model, item, tempDir), before, { rtol: 1e-4 });
});
