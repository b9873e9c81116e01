import { expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { noiseTensor } from "../../../test/support/outputs.ts";
import { PLAIN } from "../../../test/support/quantizing.ts";
import { cloneModel } from "../../cloneModel.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { outputDifference } from "../outputDifference.ts";
import { beyondHalf } from "./beyondHalf.ts";
import { quantize } from "./quantize.ts";

const evaluator = createOrtEvaluator({ tempDir: "/nowhere" });
const options = { ...PLAIN, format: "fp16" } as const;

/** A normalisation by the root of mean squares, written out: only the squares are too large for half precision. */
function normalisation(): Model {
  const graph = new Graph("rms");
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 16] });
  const large = graph.addInitializer("large", Tensor.f32([1], [2000]));
  const node = (opType: string, inputs: Parameters<Graph["addNode"]>[0]["inputs"], output: string) =>
    graph.addNode({ opType, name: output, inputs, outputs: [output] }).output();
  const a = node("Mul", [x, large], "a");
  const square = node("Mul", [a, a], "square");
  const mean = node("ReduceMean", [square], "mean");
  graph.addOutput(node("Div", [a, node("Sqrt", [mean], "root")], "y"));
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  return model;
}

it("finds what overflows between the layers, and leaves an island of float around it", async () => {
  const float = normalisation();
  const frames = [1, 2].map((seed) => ({ x: noiseTensor([1, 16], seed) }));
  const beyond = await beyondHalf(cloneModel(float), frames, { evaluator });
  expect([...beyond].sort()).toEqual(["mean", "square"]);

  const island = cloneModel(float);
  const { left } = await quantize(island, { ...options, beyond });
  expect(left.map(({ node }) => node).sort()).toEqual(["mean", "root", "square"]);
  const { y } = await outputDifference({ reference: float, candidate: island }, frames, evaluator);
  expect(y?.relative).toBeLessThan(2e-3);
  const typeOf = (name: string) => island.graph.values.get(name)?.type?.elemType;
  expect([typeOf("square"), typeOf("mean"), typeOf("a")]).toEqual([DataType.FLOAT, DataType.FLOAT, DataType.FLOAT16]);
  // No layer reads what overflows: ranges of the layers' inputs alone leave it in half.
  expect((await quantize(cloneModel(float), options)).left).toEqual([]);
});
