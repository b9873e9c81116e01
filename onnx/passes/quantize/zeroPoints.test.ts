/** Products whose weights lie on one side of zero: their blocks take zero points, and the runtime reads them as we do. */
import { expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { noiseTensor } from "../../../test/support/outputs.ts";
import { PLAIN } from "../../../test/support/quantizing.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { mulberry32 } from "../../seededTensor.ts";
import { outputDifference } from "../outputDifference.ts";
import { quantize } from "./quantize.ts";

const evaluator = createOrtEvaluator({ tempDir: "/nowhere" });

/** x [1, 80] times [80, 24]; five blocks of 16 a column, so that a row of zero points ends in half a byte. */
function product(skew: number): Model {
  const graph = new Graph("product");
  const random = mulberry32(7);
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 80] });
  const data = Float32Array.from({ length: 80 * 24 }, () => random() - 0.5 + skew);
  const w = graph.addInitializer("w", Tensor.f32([80, 24], data));
  graph.addOutput(graph.addNode({ opType: "MatMul", inputs: [x, w], outputs: ["y"] }).output());
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  return model;
}

const options = { ...PLAIN, format: "int4", blockSize: 16 } as const;

it("gives blocks on one side of zero a zero point, and none to those around it", async () => {
  const skewed = product(0.4);
  await quantize(skewed, options);
  const node = skewed.graph.nodes.find(({ opType }) => opType === "MatMulNBits");
  expect(node?.inputs[3]?.initializer?.dims).toEqual([24 * 3]);
  const even = product(0);
  await quantize(even, options);
  expect(even.graph.nodes[0]?.inputs).toHaveLength(3);
});

it("computes in the runtime what its integers stand for", async () => {
  const reference = product(0.4);
  const candidate = product(0.4);
  const { layers } = await quantize(candidate, options);
  const items = [{ x: noiseTensor([1, 80], 1) }];
  const { y } = await outputDifference({ reference, candidate }, items, evaluator);
  // The integers alone keep this much of the weights; the runtime rounds its input to 8 bits besides.
  expect(layers[0]?.ownSqnrDb).toBeGreaterThan(27);
  expect(y?.relative).toBeLessThan(0.1);
});
