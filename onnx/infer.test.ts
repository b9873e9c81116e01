import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { dataPath, testData } from "../test/support/data.ts";
import { inferShapes } from "./infer.ts";
import { DataType } from "./ir/dataType.ts";
import { type AttributeInput, Graph, Model, type Shape, type Value } from "./ir/graph.ts";
import { memorySource, Tensor } from "./ir/tensor.ts";
import { readModel } from "./serde.ts";

function modelOf(build: (graph: Graph) => void, opset = 17): Model {
  const graph = new Graph("g");
  const model = new Model(graph);
  model.opsetImports.set("", opset);
  build(graph);
  return model;
}

const F32 = DataType.FLOAT;
const input = (graph: Graph, name: string, shape: Shape) => graph.addInput(name, { elemType: F32, shape });
const constant = (graph: Graph, ...elements: number[]) =>
  graph.addInitializer("c", Tensor.i64([elements.length], elements));

function apply(graph: Graph, opType: string, inputs: Value[], attributes: Record<string, AttributeInput> = {}): Value {
  return graph.addNode({ opType, inputs, outputs: [graph.freshName(opType)], attributes }).output();
}

describe("inferShapes", () => {
  it("evaluates shape arithmetic with symbols", () => {
    let heads: Value | undefined;
    const model = modelOf((g) => {
      const x = input(g, "x", ["batch", "length", 384]);
      const shape = apply(g, "Shape", [x]);
      const at = (i: number) =>
        apply(g, "Unsqueeze", [
          apply(g, "Gather", [shape, g.addInitializer("i", Tensor.i64([], [i]))]),
          constant(g, 0),
        ]);
      const width = apply(g, "Div", [at(2), constant(g, 12)]);
      heads = apply(g, "Reshape", [x, apply(g, "Concat", [at(0), at(1), constant(g, 12), width], { axis: 0 })]);
    });
    expect(inferShapes(model).unknown).toEqual([]);
    expect(heads?.shape).toEqual(["batch", "length", 12, 32]);
  });

  it("resolves the exporter's Expand: a symbol is never -1", () => {
    let expanded: Value | undefined;
    const model = modelOf((g) => {
      const x = input(g, "x", ["batch", 3]);
      const shape = apply(g, "Shape", [x]);
      const ones = apply(g, "ConstantOfShape", [apply(g, "Shape", [shape])], { value: Tensor.i64([1], [1]) });
      const target = apply(g, "Where", [
        apply(g, "Equal", [shape, apply(g, "Mul", [ones, constant(g, -1)])]),
        ones,
        shape,
      ]);
      expanded = apply(g, "Expand", [input(g, "y", [1, 1]), target]);
    });
    inferShapes(model);
    expect(expanded?.shape).toEqual(["batch", 3]);
  });

  it("computes in single precision what runtimes compute in it", () => {
    let resized: Value | undefined;
    const model = modelOf((g) => {
      const size = apply(g, "Cast", [apply(g, "Shape", [input(g, "x", [1, 3, 30, 30])])], { to: F32 });
      const scale = g.addInitializer("s", Tensor.f32([4], [1, 1, 0.1, 2.5]));
      const sizes = apply(g, "Cast", [apply(g, "Floor", [apply(g, "Mul", [size, scale])])], { to: DataType.INT64 });
      const empty = g.addInitializer("e", Tensor.f32([0], []));
      resized = apply(g, "Resize", [input(g, "y", [1, 3, 30, 30]), empty, empty, sizes]);
    });
    inferShapes(model);
    expect(resized?.shape).toEqual([1, 3, 3, 75]);
  });

  it("lists an unknown operator once, goes on, and keeps what the file declared", () => {
    let after: Value | undefined;
    const model = modelOf((g) => {
      const x = input(g, "x", [1, 4]);
      const odd = g.addNode({ opType: "Odd", domain: "acme", inputs: [x], outputs: ["odd"] }).output();
      odd.type = { elemType: F32, shape: [1, 9] };
      after = apply(g, "Relu", [odd]);
    });
    const { unknown } = inferShapes(model);
    expect(unknown.map(({ opType, reason }) => [opType, reason])).toEqual([
      ["Odd", "the operator acme:Odd is not known"],
    ]);
    expect(after?.shape).toEqual([1, 9]);
    inferShapes(model, { declared: "ignore" });
    expect(after?.type).toEqual({ elemType: F32 });
  });

  it("reports a declaration that contradicts, and lets inference stand", () => {
    const model = modelOf((g) => {
      apply(g, "Relu", [input(g, "x", [1, 4])]).type = { elemType: F32, shape: [1, 5] };
    });
    const { contradictions } = inferShapes(model);
    expect(contradictions.map(({ declared, inferred }) => [declared.shape, inferred.shape])).toEqual([
      [
        [1, 5],
        [1, 4],
      ],
    ]);
    expect(model.graph.values.get("Relu")?.shape).toEqual([1, 4]);
  });

  it("fills in from a declaration what inference cannot know, but not a tool's made-up symbol", () => {
    const model = modelOf((g) => {
      const x = input(g, "x", [null, null]);
      apply(g, "Relu", [x]).type = { elemType: F32, shape: [7, "unk__3"] };
    });
    inferShapes(model);
    expect(model.graph.values.get("Relu")?.shape).toEqual([7, null]);
  });

  it("follows an edit when declarations are ignored", () => {
    const model = modelOf((g) => {
      apply(g, "Relu", [apply(g, "Flatten", [input(g, "x", [1, 2, 3])])]);
    });
    inferShapes(model);
    const x = model.graph.inputs[0];
    if (x) x.type = { elemType: F32, shape: [4, 5, 6] };
    expect(inferShapes(model, { declared: "ignore" }).contradictions).toEqual([]);
    expect(model.graph.values.get("Relu")?.shape).toEqual([4, 30]);
  });

  it("does not read weights that lie elsewhere", () => {
    const source = { size: 1e12, read: () => Promise.reject(new Error("read")) };
    const model = modelOf((g) => {
      const weight = g.addInitializer("w", new Tensor(F32, [1000, 1000], { ref: { source, offset: 0, length: 4e6 } }));
      apply(g, "MatMul", [input(g, "x", ["n", 1000]), weight]);
    });
    expect(inferShapes(model).unknown).toEqual([]);
    expect(model.graph.values.get("MatMul")?.shape).toEqual(["n", 1000]);
  });
});

describe("bodies", () => {
  const bodyOf = (parent: Graph, build: (body: Graph) => void): AttributeInput => {
    const body = new Graph("body", parent);
    build(body);
    return { type: "graph", value: body };
  };

  it("joins the branches of an If, and takes one where the condition is known", () => {
    const branches = (condition: (g: Graph) => Value) => {
      let out: Value | undefined;
      const model = modelOf((g) => {
        const x = input(g, "x", ["n", 4]);
        const branch = (axis: number) => bodyOf(g, (b) => b.addOutput(apply(b, "Concat", [x, x], { axis })));
        out = apply(g, "If", [condition(g)], { then_branch: branch(0), else_branch: branch(1) });
      });
      expect(inferShapes(model).unknown).toEqual([]);
      return out?.shape;
    };
    expect(branches((g) => g.addInput("c", { elemType: DataType.BOOL, shape: [] }))).toEqual([null, null]);
    expect(branches((g) => g.addInitializer("c", Tensor.of(DataType.BOOL, [], Uint8Array.of(0))))).toEqual(["n", 8]);
  });

  const loopModel = (step: (body: Graph, state: Value) => Value): Value | undefined => {
    let out: Value | undefined;
    const model = modelOf((g) => {
      const x = input(g, "x", [2, 3]);
      const body = bodyOf(g, (b) => {
        b.addInput("turn", { elemType: DataType.INT64, shape: [] });
        const go = b.addInput("go", { elemType: DataType.BOOL, shape: [] });
        const state = b.addInput("state", { elemType: F32 });
        b.addOutput(apply(b, "Identity", [go]));
        b.addOutput(step(b, state));
      });
      const trips = g.addInitializer("trips", Tensor.i64([], [5]));
      const go = g.addInitializer("go", Tensor.of(DataType.BOOL, [], Uint8Array.of(1)));
      out = apply(g, "Loop", [trips, go, x], { body });
    });
    expect(inferShapes(model).unknown).toEqual([]);
    return out;
  };

  it("keeps the shape of a loop's state that does not change", () => {
    expect(loopModel((b, state) => apply(b, "Relu", [state]))?.shape).toEqual([2, 3]);
  });

  it("gives up the dimension that grows, and only that", () => {
    expect(loopModel((b, state) => apply(b, "Concat", [state, state], { axis: 0 }))?.shape).toEqual([null, 3]);
  });

  it("gives up the rank where it grows", () => {
    expect(loopModel((b, state) => apply(b, "Unsqueeze", [state, constant(b, 0)]))?.type).toEqual({ elemType: F32 });
  });

  it("ends on a hostile nest of loops", () => {
    const nest = (g: Graph, state: Value, depth: number): Value => {
      if (depth === 0) return apply(g, "Unsqueeze", [state, constant(g, 0)]);
      const body = bodyOf(g, (b) => {
        b.addInput(`turn${depth}`, { elemType: DataType.INT64, shape: [] });
        const go = b.addInput(`go${depth}`, { elemType: DataType.BOOL, shape: [] });
        const inner = b.addInput(`state${depth}`, { elemType: F32 });
        b.addOutput(apply(b, "Identity", [go]));
        b.addOutput(nest(b, inner, depth - 1));
      });
      const trips = g.addInitializer("trips", Tensor.i64([], [5]));
      const go = g.addInitializer("more", Tensor.of(DataType.BOOL, [], Uint8Array.of(1)));
      return apply(g, "Loop", [trips, go, state], { body });
    };
    const model = modelOf((g) => nest(g, input(g, "x", [2]), 14));
    expect(inferShapes(model).unknown).toEqual([]);
  });
});

describe.skipIf(!testData)("real models (needs EDGEWRIGHT_TEST_DATA)", () => {
  it.each(["fastestdet", "yolox-nano", "rfb-320", "minilm-l6"])("%s: every size known", async (name) => {
    const model = await readModel(memorySource(await readFile(dataPath(`models/${name}.onnx`))));
    for (const value of model.graph.values.values()) if (value.producer && !value.isGraphOutput) value.type = undefined;
    const { unknown, contradictions } = inferShapes(model);
    expect(unknown).toEqual([]);
    expect(contradictions).toEqual([]);
    const open = [...model.graph.values.values()].filter(
      (value) => value.producer && !value.shape?.every((dim) => dim !== null),
    );
    expect(open.map((value) => value.name)).toEqual([]);
  });
});
