import { expect, it } from "vitest";
import { cloneModel } from "./cloneModel.ts";
import { Graph, Model } from "./ir/graph.ts";
import { memorySource, Tensor } from "./ir/tensor.ts";
import { modelBytes, readModel } from "./serde.ts";
import { verifyModel } from "./verify.ts";

/** An If whose branches read a value around them and list one as their output. */
async function branching(): Promise<Model> {
  const graph = new Graph("g");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  const x = graph.addInput("x", { elemType: 1, shape: [2] });
  const flag = graph.addInput("flag", { elemType: 9, shape: [] });
  const w = graph.addInitializer("w", Tensor.f32([2], [1, 2]));
  const branch = (name: string, opType: string) => {
    const body = new Graph(name, graph);
    body.addOutput(body.addNode({ opType, inputs: [x, w], outputs: [`${name}_out`] }).output());
    return { type: "graph", value: body } as const;
  };
  const attributes = { then_branch: branch("then", "Add"), else_branch: branch("else", "Sub") };
  graph.addOutput(graph.addNode({ opType: "If", name: "if", inputs: [flag], outputs: ["y"], attributes }).output());
  return readModel(memorySource(await modelBytes(model)));
}

it("changes to a copy stay in the copy, bodies included; tensors are shared", async () => {
  const model = await branching();
  const before = await modelBytes(model);
  const copy = cloneModel(model);
  expect(copy.graph.values.get("w")?.initializer).toBe(model.graph.values.get("w")?.initializer);

  const body = copy.graph.nodes[0]?.subgraphs[0];
  const add = body?.nodes[0];
  const x = copy.graph.values.get("x");
  if (!body || !add || !x) throw new Error("the copy lacks a part");
  expect(body.parent).toBe(copy.graph);
  const neg = body.addNode({ opType: "Neg", inputs: [x], outputs: ["n"] }, add);
  add.setInput(0, neg.output());
  copy.graph.rename(x, "renamed");
  copy.metadata.set("key", "value");
  expect(verifyModel(copy)).toEqual([]);
  expect(verifyModel(model)).toEqual([]);
  expect(await modelBytes(model)).toEqual(before);
  const changed = await readModel(memorySource(await modelBytes(copy)));
  expect(changed.graph.nodes[0]?.subgraphs[0]?.nodes.map(({ opType }) => opType)).toEqual(["Neg", "Add"]);
  expect(changed.graph.values.get("renamed")?.uses.length).toBe(2);
});
