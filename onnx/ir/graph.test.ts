import { describe, expect, it } from "vitest";
import { verifyModel } from "../verify.ts";
import { Graph, Model, type Node, type Value } from "./graph.ts";
import { Tensor } from "./tensor.ts";

const f32 = { elemType: 1, shape: [1, 4] } as const;

/** x -> a -> b -> y, each a Relu. */
function chain(): { graph: Graph; x: Value; a: Node; b: Node; y: Node } {
  const graph = new Graph("g");
  const x = graph.addInput("x", f32);
  const a = graph.addNode({ opType: "Relu", name: "a", inputs: [x], outputs: ["va"] });
  const b = graph.addNode({ opType: "Relu", name: "b", inputs: [a.output()], outputs: ["vb"] });
  const y = graph.addNode({ opType: "Relu", name: "y", inputs: [b.output()], outputs: ["vy"] });
  graph.addOutput(y.output());
  return { graph, x, a, b, y };
}

const sound = (graph: Graph) => expect(verifyModel(new Model(graph))).toEqual([]);

describe("uses", () => {
  it("follow every change of an input", () => {
    const { graph, x, a, b } = chain();
    b.setInput(1, x);
    b.setInput(3, x);
    expect(b.inputs.map((value) => value?.name)).toEqual(["va", "x", undefined, "x"]);
    expect(x.uses.length).toBe(3);
    b.truncateInputs(1);
    expect(x.uses).toEqual([{ node: a, index: 0 }]);
    expect(b.inputs.length).toBe(1);
    sound(graph);
  });

  it("of outer values end with the node whose body read them", () => {
    const { graph, x, a } = chain();
    const body = new Graph("body", graph);
    const inner = body.addNode({ opType: "Neg", inputs: [x], outputs: ["n"] });
    body.addOutput(inner.output());
    body.addOutput(a.output());
    const loop = graph.addNode({
      opType: "If",
      inputs: [x],
      outputs: ["i"],
      attributes: { then_branch: { type: "graph", value: body } },
    });
    expect([x.uses.length, a.output().isGraphOutput]).toEqual([3, true]);
    graph.removeNode(loop);
    expect([x.uses.length, a.output().isGraphOutput]).toEqual([1, false]);
    sound(graph);
  });
});

describe("replaceAllUses", () => {
  it("moves the readers", () => {
    const { graph, a, b, y } = chain();
    expect(graph.replaceAllUses(b.output(), a.output())).toBe(true);
    expect(y.inputs[0]).toBe(a.output());
    graph.removeNode(b);
    expect(graph.values.has("vb")).toBe(false);
    sound(graph);
  });

  it("keeps the name and the type of a graph output", () => {
    const { graph, b, y } = chain();
    y.output().type = f32;
    expect(graph.replaceAllUses(y.output(), b.output())).toBe(true);
    expect(graph.outputs.map(({ name, type }) => [name, type])).toEqual([["vy", f32]]);
    graph.removeNode(y);
    expect([...graph.values.keys()].sort()).toEqual(
      ["va", "vx", "vy"]
        .filter((name) => graph.values.has(name))
        .concat("x")
        .sort(),
    );
    sound(graph);
  });

  it("refuses to give an output's name to an input, an initializer or another output, changing nothing", () => {
    const { graph, x, y } = chain();
    const w = graph.addInitializer("w", Tensor.f32([1], [1]));
    const other = graph.addNode({ opType: "Neg", inputs: [x], outputs: ["o"] });
    graph.addOutput(other.output());
    for (const by of [x, w, other.output()]) expect(graph.replaceAllUses(y.output(), by)).toBe(false);
    expect(graph.outputs.map(({ name }) => name)).toEqual(["vy", "o"]);
    sound(graph);
  });

  it("serves a value that is listed twice, and one that an inner graph lists", () => {
    const { graph, a, b, y } = chain();
    graph.addOutput(y.output());
    expect(graph.replaceAllUses(y.output(), b.output())).toBe(true);
    expect(graph.outputs.map(({ name }) => name)).toEqual(["vy", "vy"]);
    const body = new Graph("body", graph);
    body.addOutput(a.output());
    graph.replaceAllUses(a.output(), b.output());
    expect(body.outputs).toEqual([b.output()]);
    expect(a.output().isGraphOutput).toBe(false);
  });
});

describe("names", () => {
  it("are unique, fresh ones beside those of the graphs around", () => {
    const { graph } = chain();
    expect(() => graph.addValue("va")).toThrow("va");
    const body = new Graph("body", graph);
    expect(body.freshName("va")).toBe("va_1");
    expect(body.find("va")).toBe(graph.values.get("va"));
    const w = graph.addInitializer("va", Tensor.f32([1], [1]));
    expect(w.name).toBe("va_1");
    expect(() => graph.rename(w, "vb")).toThrow("vb");
    graph.rename(w, "w");
    expect(graph.values.get("w")).toBe(w);
    expect(graph.values.has("va_1")).toBe(false);
  });

  it("have one writer", () => {
    const { a, b } = chain();
    expect(() => b.setOutput(0, a.output())).toThrow("va");
    expect(b.output().name).toBe("vb");
  });
});

describe("inputs and outputs", () => {
  it("are known to their values", () => {
    const { graph, x, y } = chain();
    const w = graph.addInitializer("w", Tensor.f32([1], [1]));
    graph.listInput(w);
    expect([x.isGraphInput, w.isGraphInput, y.output().isGraphOutput]).toEqual([true, true, true]);
    expect(graph.feeds).toEqual([x]);
    expect(() => graph.listInput(w)).toThrow("input already");
    graph.unlistInput(w);
    graph.removeOutput(0);
    expect([w.isGraphInput, y.output().isGraphOutput, graph.outputs.length]).toEqual([false, false, 0]);
    graph.removeValue(w);
    expect(() => graph.removeValue(x)).toThrow("in use");
    expect(graph.initializers).toEqual([]);
  });
});

describe("sortTopologically", () => {
  it("leaves an order that holds and mends one that does not", () => {
    const { graph, a, b, y } = chain();
    graph.sortTopologically();
    expect(graph.nodes).toEqual([a, b, y]);
    graph.nodes = [y, b, a];
    graph.sortTopologically();
    expect(graph.nodes).toEqual([a, b, y]);
  });

  it("counts what bodies read, and names a cycle", () => {
    const { graph, x, a, y } = chain();
    const body = new Graph("body", graph);
    const deep = new Graph("deep", body);
    deep.addOutput(deep.addNode({ opType: "Neg", inputs: [y.output()], outputs: ["d"] }).output());
    const inner = body.addNode({
      opType: "If",
      inputs: [x],
      outputs: ["n"],
      attributes: { then_branch: { type: "graph", value: deep } },
    });
    body.addOutput(inner.output());
    const outer = graph.addNode({
      opType: "If",
      inputs: [x],
      outputs: ["i"],
      attributes: { then_branch: { type: "graph", value: body } },
    });
    graph.nodes = [outer, ...graph.nodes.filter((node) => node !== outer)];
    graph.sortTopologically();
    expect(graph.nodes.indexOf(outer)).toBe(3);
    a.setInput(0, outer.output());
    expect(() => graph.sortTopologically()).toThrow(/cycle through/);
  });

  it("takes a chain of a hundred thousand nodes without recursion", () => {
    const graph = new Graph("long");
    let value = graph.addInput("x", f32);
    for (let i = 0; i < 100_000; i++) {
      value = graph.addNode({ opType: "Relu", inputs: [value], outputs: [`v${i}`] }).output();
    }
    graph.nodes.reverse();
    graph.sortTopologically();
    expect(graph.nodes[0]?.output().name).toBe("v0");
  });
});
