import { describe, expect, it } from "vitest";
import { DataType } from "../../ir/dataType.ts";
import { Graph, type Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { responseAfter } from "./response.ts";

/** x -> whatever `write` makes of it -> an opaque reader, so that nothing after it counts. */
function graphOf(write: (x: Value, node: (opType: string, ...inputs: (Value | number)[]) => Value) => Value): Value {
  const graph = new Graph("g");
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 4] });
  let count = 0;
  const node = (opType: string, ...inputs: (Value | number)[]) =>
    graph
      .addNode({
        opType,
        inputs: inputs.map((i) => (typeof i === "number" ? graph.addInitializer("c", Tensor.f32([], [i])) : i)),
        outputs: [`v${count++}`],
      })
      .output();
  graph.addOutput(node("Softmax", write(x, node)));
  return x;
}

const AT = [-7, -2.5, -1, -0.1, 0, 0.3, 1, 2, 6];

describe("responseAfter", () => {
  it.each<[string, Parameters<typeof graphOf>[0], (x: number) => number]>([
    ["Relu", (x, n) => n("Relu", x), (x) => Math.max(0, x)],
    ["x * Sigmoid", (x, n) => n("Mul", x, n("Sigmoid", x)), (x) => x / (1 + Math.exp(-x))],
    [
      "Div, Erf, Add, Mul, Mul",
      (x, n) => n("Mul", n("Mul", x, n("Add", n("Erf", n("Div", x, Math.SQRT2)), 1)), 0.5),
      // GELU by its tanh form, which is within 1e-3 of the exact one.
      (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    ],
    [
      "Add, Clip, Mul",
      (x, n) => n("Mul", x, n("Clip", n("Add", x, 3), 0, 6)),
      (x) => x * Math.min(6, Math.max(0, x + 3)),
    ],
    [
      "Softplus, Tanh, Mul",
      (x, n) => n("Mul", x, n("Tanh", n("Softplus", x))),
      (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
    ],
  ])("%s", (name, write, expected) => {
    const response = responseAfter(graphOf(write));
    expect(name.startsWith(response?.name ?? "-")).toBe(true);
    const tail = name.slice(response?.name.length);
    // What comes behind the point where all has come together again is another tensor's business.
    const factor = tail === ", Mul" ? 2 : 1;
    for (const x of AT) expect(response?.of(x)).toBeCloseTo(expected(x) * factor, 2);
  });

  it("says nothing where another reader sees the tensor as it is, or the rest is computed", () => {
    expect(responseAfter(graphOf((x, n) => n("Add", n("Softmax", x), n("Sigmoid", x))))).toBeUndefined();
    expect(responseAfter(graphOf((x, n) => n("Softmax", x)))).toBeUndefined();
    const output = graphOf((x, n) => n("Relu", x));
    output.graph.addOutput(output);
    expect(responseAfter(output)).toBeUndefined();
  });
});
