import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectClose, noise, noiseTensor, outputsOf } from "../../../test/support/outputs.ts";
import { cloneModel } from "../../cloneModel.ts";
import { inferShapes } from "../../infer.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model, type Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { verifyModel } from "../../verify.ts";
import { alignChannels } from "./alignChannels.ts";
import { flattenSoftmax } from "./flatSoftmax.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgewright-place-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const INPUT = [1, 3, 16, 16];

function network(build: (graph: Graph, x: Value) => Value): Model {
  const graph = new Graph("net");
  const model = new Model(graph);
  model.irVersion = 8;
  model.opsetImports.set("", 13);
  graph.addOutput(build(graph, graph.addInput("x", { elemType: DataType.FLOAT, shape: INPUT })));
  inferShapes(model);
  return model;
}

interface Conv {
  readonly name: string;
  readonly dims: readonly number[];
  readonly group?: number;
}

function conv(graph: Graph, x: Value, { name, dims, group = 1 }: Conv): Value {
  const weight = graph.addInitializer(
    `${name}_w`,
    Tensor.f32(
      dims,
      noise(
        dims.reduce((a, b) => a * b, 1),
        dims[0],
      ),
    ),
  );
  const bias = graph.addInitializer(`${name}_b`, Tensor.f32([dims[0] ?? 1], noise(dims[0] ?? 1, 3)));
  const pad = Math.floor((dims[2] ?? 1) / 2);
  const attributes = { group, pads: [pad, pad, pad, pad] };
  return graph
    .addNode({ opType: "Conv", name, inputs: [x, weight, bias], outputs: [`${name}_y`], attributes })
    .output();
}

function one(graph: Graph, opType: string, x: Value, attributes: Record<string, number | number[]> = {}): Value {
  const output = graph.freshName(`${x.name}_${opType}`);
  return graph.addNode({ opType, name: output, inputs: [x], outputs: [output], attributes }).output();
}

async function sameOutputs(before: Model, after: Model): Promise<void> {
  expect(verifyModel(after)).toEqual([]);
  const feeds = { x: noiseTensor(INPUT, 5) };
  expectClose(await outputsOf(before, feeds, folder), await outputsOf(after, feeds, folder), { rtol: 1e-6 });
}

describe("alignChannels", () => {
  const pooled = (read: (graph: Graph, pool: Value) => Value) =>
    network((graph, x) => {
      const stem = one(graph, "Relu", conv(graph, x, { name: "stem", dims: [20, 3, 3, 3] }));
      return read(graph, one(graph, "MaxPool", stem, { kernel_shape: [2, 2], strides: [2, 2] }));
    });

  it("pads what lies between Convs around a pooling, depthwise included, to the same numbers", async () => {
    const model = pooled((graph, pool) => {
      const deep = conv(graph, pool, { name: "deep", dims: [20, 1, 3, 3], group: 20 });
      return conv(graph, deep, { name: "last", dims: [7, 20, 1, 1] });
    });
    const aligned = cloneModel(model);
    expect(await alignChannels(aligned.graph)).toBe(1);
    const dims = (name: string) => aligned.graph.nodes.find((node) => node.name === name)?.input(1).constant?.dims;
    expect(dims("stem")).toEqual([32, 3, 3, 3]);
    expect(dims("deep")).toEqual([32, 1, 3, 3]);
    expect(dims("last")).toEqual([7, 32, 1, 1]);
    await sameOutputs(model, aligned);
  });

  it("leaves alone what cannot take more channels along", async () => {
    for (const model of [
      pooled((_, pool) => pool),
      pooled((graph, pool) =>
        conv(graph, one(graph, "Softmax", pool, { axis: 1 }), { name: "c", dims: [4, 20, 1, 1] }),
      ),
      pooled((graph, pool) => conv(graph, pool, { name: "grouped", dims: [4, 10, 1, 1], group: 2 })),
    ]) {
      expect(await alignChannels(model.graph)).toBe(0);
    }
  });
});

describe("flattenSoftmax", () => {
  const between = (perm: number[], back: number[], axis = -1) =>
    network((graph, x) => {
      const turned = one(graph, "Transpose", conv(graph, x, { name: "c", dims: [10, 3, 1, 1] }), { perm });
      return one(graph, "Transpose", one(graph, "Softmax", turned, { axis }), { perm: back });
    });

  it.each([
    { perm: [0, 2, 3, 1], back: [0, 3, 1, 2] },
    { perm: [0, 3, 2, 1], back: [0, 3, 2, 1] },
  ])("gives the same numbers for $perm", async ({ perm, back }) => {
    const model = between(perm, back);
    const flat = cloneModel(model);
    expect(await flattenSoftmax(flat.graph)).toBe(1);
    await sameOutputs(model, flat);
  });

  it("leaves another axis, and Transposes that do not undo each other", async () => {
    expect(await flattenSoftmax(between([0, 2, 3, 1], [0, 3, 1, 2], 1).graph)).toBe(0);
    expect(await flattenSoftmax(between([0, 2, 3, 1], [0, 3, 2, 1]).graph)).toBe(0);
  });
});
