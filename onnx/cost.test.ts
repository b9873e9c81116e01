import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { dataPath, testData } from "../test/support/data.ts";
import { type OneNode, oneNodeModel, zeros } from "../test/support/oneNodeModel.ts";
import { type YoloSize, yoloModel } from "../test/support/yoloGraph.ts";
import { modelCost } from "./cost.ts";
import { inferShapes } from "./infer.ts";
import { DataType } from "./ir/dataType.ts";
import { type AttributeInput, Graph, Model, type Shape, type Value } from "./ir/graph.ts";
import { memorySource, Tensor } from "./ir/tensor.ts";
import { readModel } from "./serde.ts";

const F32 = DataType.FLOAT;

function costOf(node: OneNode) {
  const model = oneNodeModel(node);
  inferShapes(model);
  return modelCost(model);
}

const weight = (...dims: number[]) => zeros(F32, dims);

describe("multiply-accumulates", () => {
  const rows: readonly (readonly [string, OneNode, number])[] = [
    [
      "Conv: outputs x kernel x channels",
      { opType: "Conv", inputs: [[1, 3, 8, 8], weight(16, 3, 3, 3)], attributes: { pads: [1, 1, 1, 1] } },
      16 * 64 * 27,
    ],
    [
      "depthwise Conv",
      { opType: "Conv", inputs: [[1, 16, 8, 8], weight(16, 1, 3, 3)], attributes: { group: 16, pads: [1, 1, 1, 1] } },
      16 * 64 * 9,
    ],
    [
      "ConvTranspose: inputs x kernel x outputs",
      { opType: "ConvTranspose", inputs: [[1, 8, 5, 5], weight(8, 4, 2, 2)], attributes: { strides: [2, 2] } },
      8 * 25 * 16,
    ],
    [
      "MatMul with batches",
      {
        opType: "MatMul",
        inputs: [
          [2, 12, 7, 32],
          [2, 12, 32, 7],
        ],
      },
      2 * 12 * 7 * 7 * 32,
    ],
    [
      "Gemm transposed",
      { opType: "Gemm", inputs: [[32, 5], weight(10, 32)], attributes: { transA: 1, transB: 1 } },
      5 * 10 * 32,
    ],
    [
      "Einsum",
      {
        opType: "Einsum",
        inputs: [
          [2, 3],
          [3, 4],
        ],
        attributes: { equation: "ij,jk->ik" },
      },
      24,
    ],
    [
      "LSTM: each sample through both matrices",
      {
        opType: "LSTM",
        inputs: [[10, 2, 8], weight(1, 64, 8), weight(1, 64, 16)],
        attributes: { hidden_size: 16 },
        outputs: 3,
      },
      20 * 64 * 24,
    ],
    ["Relu", { opType: "Relu", inputs: [[4, 4]] }, 0],
  ];
  it.each(rows)("%s", (_, node, macs) => expect(costOf(node).macs).toBe(macs));

  it("count a bias and pointwise arithmetic apart", () => {
    const biased = costOf({ opType: "Conv", inputs: [[1, 3, 4, 4], weight(8, 3, 1, 1), weight(8)] });
    expect(biased.ops).toBe(8 * 16);
    expect(
      costOf({
        opType: "Add",
        inputs: [
          [4, 4],
          [4, 4],
        ],
      }).ops,
    ).toBe(16);
  });
});

describe("what is not known", () => {
  const dynamic: OneNode = { opType: "MatMul", inputs: [["batch", 4], weight(4, 2)] };

  it("is absent, never 0", () => {
    const cost = costOf(dynamic);
    expect(cost.macs).toBeUndefined();
    expect(cost.unknown.map((node) => node.opType)).toEqual(["MatMul"]);
    expect(cost.peakActivationBytes).toBeUndefined();
    expect(cost.parameters).toBe(8);
  });

  it("becomes known with the sizes of symbols", () => {
    const model = oneNodeModel(dynamic);
    inferShapes(model);
    const cost = modelCost(model, { dims: { batch: 3 } });
    expect(cost.macs).toBe(24);
    expect(cost.peakActivationBytes).toBe((12 + 6) * 4);
  });

  it("includes operators nobody knows", () => {
    expect(costOf({ opType: "Odd", domain: "acme", inputs: [[1]] }).macs).toBeUndefined();
  });
});

describe("bodies", () => {
  it("count as often as they turn, and the dearer branch of an If", () => {
    const body = (parent: Graph, width: number): AttributeInput => {
      const graph = new Graph("body", parent);
      const x = parent.find("x");
      if (!x) throw new Error("x is in the graph around");
      graph.addOutput(apply(graph, "MatMul", [x, graph.addInitializer("w", zeros(F32, [4, width]))]));
      return { type: "graph", value: graph };
    };
    const condition = (g: Graph) => g.addInput("c", { elemType: DataType.BOOL, shape: [] });
    const branches = chain((g) => {
      input(g, [1, 4]);
      apply(g, "If", [condition(g)], { then_branch: body(g, 2), else_branch: body(g, 8) });
    });
    expect(modelCost(branches).macs).toBe(32);
    expect(modelCost(branches).parameters).toBe(8 + 32);

    const turns = (trips: number | undefined) =>
      modelCost(
        chain((g) => {
          input(g, [1, 4]);
          const graph = new Graph("body", g);
          graph.addInput("turn", { elemType: DataType.INT64, shape: [] });
          const go = graph.addInput("go", { elemType: DataType.BOOL, shape: [] });
          graph.addOutput(apply(graph, "Identity", [go]));
          const x = g.find("x");
          if (x) graph.addOutput(apply(graph, "MatMul", [x, graph.addInitializer("w", zeros(F32, [4, 2]))]));
          const count =
            trips === undefined
              ? g.addInput("n", { elemType: DataType.INT64, shape: [] })
              : g.addInitializer("n", Tensor.i64([], [trips]));
          apply(g, "Loop", [count, g.addInput("go", { elemType: DataType.BOOL, shape: [] })], {
            body: { type: "graph", value: graph },
          });
        }),
      ).macs;
    expect(turns(5)).toBe(40);
    expect(turns(undefined)).toBeUndefined();
  });
});

function chain(build: (graph: Graph) => void): Model {
  const graph = new Graph("g");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  build(graph);
  inferShapes(model);
  return model;
}
function apply(graph: Graph, opType: string, inputs: Value[], attributes: Record<string, AttributeInput> = {}): Value {
  return graph.addNode({ opType, inputs, outputs: [graph.freshName(opType)], attributes }).output();
}
const input = (graph: Graph, shape: Shape) => graph.addInput("x", { elemType: F32, shape });

describe("memory", () => {
  it("holds inputs and outputs of a node at once, frees after the last use, and knows views", () => {
    const model = chain((g) => {
      const a = apply(g, "Relu", [input(g, [1, 100])]);
      const b = apply(g, "Reshape", [a, g.addInitializer("s", Tensor.i64([2], [10, 10]))]);
      g.addOutput(apply(g, "Relu", [b]));
    });
    expect(modelCost(model).peakActivationBytes).toBe(2 * 400);
  });

  it("keeps what a later node still reads", () => {
    const model = chain((g) => {
      const a = apply(g, "Relu", [input(g, [100])]);
      g.addOutput(apply(g, "Add", [a, apply(g, "Relu", [apply(g, "Relu", [a])])]));
    });
    expect(modelCost(model).peakActivationBytes).toBe(3 * 400);
  });

  it("counts a shared weight once, and shape constants not as parameters", () => {
    const model = chain((g) => {
      const w = g.addInitializer("w", Tensor.f32([4, 4], new Float32Array(16)));
      const y = apply(g, "MatMul", [apply(g, "MatMul", [input(g, [1, 4]), w]), w]);
      g.addOutput(apply(g, "Reshape", [y, g.addInitializer("s", Tensor.i64([1], [4]))]));
    });
    const cost = modelCost(model);
    expect(cost.parameters).toBe(16);
    expect(cost.weightBytes).toBe(64 + 8);
    expect(cost.perNode[0]?.weightBytes).toBe(64);
  });
});

describe("quantized models", () => {
  const quantized = () =>
    chain((g) => {
      const scale = g.addInitializer("scale", Tensor.f32([], [0.1]));
      const zero = g.addInitializer("zero", zeros(DataType.INT8, []));
      const pair = (x: Value) =>
        apply(g, "DequantizeLinear", [apply(g, "QuantizeLinear", [x, scale, zero]), scale, zero]);
      const weights = g.addInitializer("w", zeros(DataType.INT8, [8, 3, 3, 3]));
      const conv = (x: Value) => apply(g, "Conv", [x, apply(g, "DequantizeLinear", [weights, scale, zero])]);
      g.addOutput(pair(conv(pair(input(g, [1, 3, 10, 10])))));
    });

  it("compute in 8 bits and move 8-bit tensors", () => {
    const conv = modelCost(quantized()).perNode.find(({ node }) => node.opType === "Conv");
    expect(conv?.precision).toBe("i8");
    expect(conv?.inputBytes).toBe(300);
    expect(conv?.outputBytes).toBe(8 * 64);
    expect(conv?.weightBytes).toBe(216 + 5);
  });

  it("count weights as parameters, not scales and zero points", () => {
    expect(modelCost(quantized()).parameters).toBe(216);
  });

  it("count packed 4-bit weights whole", () => {
    const packed = [zeros(DataType.UINT8, [64, 2, 16]), zeros(F32, [128])];
    const cost = costOf({
      opType: "MatMulNBits",
      domain: "com.microsoft",
      inputs: [[1, 64], ...packed],
      attributes: { N: 64, K: 64, bits: 4, block_size: 32 },
    });
    expect([cost.parameters, cost.macs, cost.weightBytes]).toEqual([64 * 64, 64 * 64, 64 * 32 + 512]);
  });
});

/** Parameters (M) and FLOPs (G) at 640 x 640 as published by Ultralytics. */
const PUBLISHED = {
  v8: { n: [3.2, 8.7], s: [11.2, 28.6], m: [25.9, 78.9], l: [43.7, 165.2], x: [68.2, 257.8] },
  v11: { n: [2.6, 6.5], s: [9.4, 21.5], m: [20.1, 68.0], l: [25.3, 86.9], x: [56.9, 194.9] },
} as const;

describe("published figures", () => {
  const sizes: readonly YoloSize[] = ["n", "s", "m", "l", "x"];
  it.each(["v8", "v11"] as const)("YOLO%s: parameters within 0.06 M, FLOPs within 1 %%", (version) => {
    for (const size of sizes) {
      const cost = modelCost(yoloModel(version, size));
      const [parameters, gflops] = PUBLISHED[version][size];
      expect(Math.abs(cost.parameters / 1e6 - parameters)).toBeLessThan(0.06);
      expect(Math.abs(((cost.macs ?? 0) * 2) / 1e9 / gflops - 1)).toBeLessThan(0.01);
    }
  });

  it.skipIf(!testData)("YOLOX-Nano: 0.91 M, 1.08 GFLOPs (needs EDGEWRIGHT_TEST_DATA)", async () => {
    const model = await readModel(memorySource(await readFile(dataPath("models/yolox-nano.onnx"))));
    inferShapes(model);
    const cost = modelCost(model);
    expect(cost.parameters / 1e6).toBeCloseTo(0.91, 1);
    // Published with batch normalization apart; here it is folded into the convolutions.
    expect(Math.abs((2 * (cost.macs ?? 0) + (cost.ops ?? 0)) / 1e9 / 1.08 - 1)).toBeLessThan(0.05);
  });
});
