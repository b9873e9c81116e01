/**
 * A weight stored in 8 bits for a layer that computes in float: int8 -> Cast -> Mul by a scale per output channel.
 * A runtime folds that into the float weight as it loads the model: the file shrinks, the inference stays as it was.
 * (ONNX Runtime keeps a DequantizeLinear of a constant in the graph and pays for it at every inference.)
 */
import { DataType } from "../../ir/dataType.ts";
import type { Graph } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import type { Layer } from "./layers.ts";
import type { QuantizedWeights } from "./layerWeights.ts";
import { replaceConstant } from "./replaceConstant.ts";

export function storeWeight(graph: Graph, { node, rule, weight }: Layer, weights: QuantizedWeights): void {
  const { name } = node.input(rule.weight);
  const { integers, scales, axis } = weights;
  const add = (opType: string, inputs: Parameters<Graph["addNode"]>[0]["inputs"], role: string) => {
    const output = graph.freshName(`${name}_${role}`);
    return graph.addNode({ opType, name: output, inputs, outputs: [output] }, node).output();
  };
  const stored = graph.addInitializer(`${name}_q`, Tensor.of(DataType.INT8, weight.dims, integers));
  const cast = add("Cast", [stored], "cast");
  cast.producer?.set("to", DataType.FLOAT);
  const dims = axis === undefined ? [] : weight.dims.map((size, i) => (i === axis ? size : 1));
  const scale = graph.addInitializer(`${name}_s`, Tensor.f32(dims, scales));
  replaceConstant(node, rule.weight, add("Mul", [cast, scale], "f32"));
  if (!weights.bias || rule.bias === undefined) return;
  const biasName = node.inputs[rule.bias]?.name ?? `${name}_bias`;
  replaceConstant(node, rule.bias, graph.addInitializer(biasName, Tensor.f32([weights.bias.length], weights.bias)));
}
