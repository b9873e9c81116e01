import { describe, expect, it } from "vitest";
import { Graph, Model, type Node, type Value } from "./ir/graph.ts";
import { Tensor } from "./ir/tensor.ts";
import { verifyModel } from "./verify.ts";

interface Parts {
  readonly graph: Graph;
  readonly x: Value;
  readonly w: Value;
  readonly a: Node;
  readonly b: Node;
}

function parts(): Parts {
  const graph = new Graph("g");
  const x = graph.addInput("x", { elemType: 1, shape: [2] });
  const w = graph.addInitializer("w", Tensor.f32([2], [1, 2]));
  const a = graph.addNode({ opType: "Add", name: "a", inputs: [x, w], outputs: ["va"] });
  const b = graph.addNode({ opType: "Relu", name: "b", inputs: [a.output()], outputs: ["vb"] });
  graph.addOutput(b.output());
  return { graph, x, w, a, b };
}

function problems(change: (parts: Parts) => void): string[] {
  const model = parts();
  change(model);
  return verifyModel(new Model(model.graph)).map(({ code, node, value }) => `${code} ${node ?? "-"} ${value ?? "-"}`);
}

describe("verifyModel", () => {
  it("finds nothing in a sound model", () => expect(problems(() => {})).toEqual([]));

  const faults: [string, (parts: Parts) => void, string][] = [
    ["a wrong order", ({ graph }) => graph.nodes.reverse(), 'order Relu "b" va'],
    ["a value of nowhere", ({ graph, b }) => b.setInput(0, graph.addValue("lost")), 'missing-value Relu "b" lost'],
    ["a node that was taken out by hand", ({ graph }) => graph.nodes.shift(), 'missing-value Relu "b" va'],
    ["a value of another graph", ({ b }) => b.setInput(0, new Graph("h").addInput("z")), 'missing-value Relu "b" z'],
    ["an output nothing writes", ({ graph }) => graph.setOutput(0, graph.addValue("lost")), "missing-value - lost"],
    [
      "a name changed behind the graph's back",
      ({ w }) => {
        w.name = "v";
      },
      "duplicate-name - v",
    ],
    ["a use that is gone", ({ x }) => x.uses.pop(), "uses - x"],
    ["a use too many", ({ x, b }) => x.uses.push({ node: b, index: 0 }), "uses - x"],
    [
      "a use of a value that nothing reads",
      ({ graph, b }) => graph.addValue("n").uses.push({ node: b, index: 4 }),
      "uses - n",
    ],
    [
      "an initializer that a node writes",
      ({ a }) => {
        a.output().initializer = Tensor.f32([2], [1, 2]);
      },
      "duplicate-name - va",
    ],
    [
      "an initializer of another type",
      ({ w }) => {
        w.initializer = Tensor.i64([2], [1, 2]);
      },
      "initializer-type - w",
    ],
    [
      "an initializer of another shape",
      ({ w }) => {
        w.initializer = Tensor.f32([1], [1]);
      },
      "initializer-type - w",
    ],
    ["a node listed twice", ({ graph, a }) => graph.nodes.splice(1, 0, a), 'duplicate-name Add "a" va'],
  ];
  it.each(faults)("finds %s", (_, change, expected) => expect(problems(change)).toContain(expected));

  it("looks into bodies, which may read what is written before their node", () => {
    const body = ({ graph, a, b }: Parts, reads: Value) => {
      const inner = new Graph("inner", graph);
      inner.addOutput(inner.addNode({ opType: "Neg", inputs: [reads], outputs: ["n"] }).output());
      const attributes = { then_branch: { type: "graph", value: inner } as const };
      graph.addNode({ opType: "If", name: "if", inputs: [a.output()], outputs: ["vi"], attributes }, b);
    };
    expect(problems((model) => body(model, model.a.output()))).toEqual([]);
    expect(problems((model) => body(model, model.b.output()))).toEqual(['missing-value Neg writing "n" vb']);
  });

  it("is linear in the readers of one value", () => {
    const { graph, x } = parts();
    for (let i = 0; i < 50_000; i++) graph.addNode({ opType: "Relu", inputs: [x], outputs: [`r${i}`] });
    expect(verifyModel(new Model(graph))).toEqual([]);
  });
});
