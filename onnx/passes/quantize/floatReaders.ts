/**
 * Layers that stay in float, kept so at the runtime too. Behind a DequantizeLinear ONNX Runtime rounds the float weight of
 * a Conv or Gemm to 8 bits as it loads the model, all channels under one scale (its `WeightBiasQuantization`), whatever the
 * file says: 4 to 24 dB of a detector's outputs. It asks for one scale of the activations; where the dequantizer writes
 * that scale once a channel, the weight stays as it is, and the numbers are the same.
 */
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { type Layer, soleReader } from "./layers.ts";

const ROUNDED: readonly string[] = ["Conv", "ConvTranspose", "Gemm"];

/** The runtime moves a dequantizer of one scale behind these, up to the layer. */
const PASSED: readonly string[] = ["MaxPool", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Slice"];

/** `layers` are those in float. */
export async function keepFloatReaders(graph: Graph, layers: readonly Layer[]): Promise<void> {
  const written = new Map<Value, Value>();
  for (const { node, rule } of layers) {
    if (!ROUNDED.includes(node.opType)) continue;
    const read = firstRead(node, rule.activation);
    const before = read.node.input(read.index);
    const value = written.get(before) ?? (await byChannel(before));
    if (!value) continue;
    written.set(before, value);
    read.node.setInput(read.index, value);
    if (before.producer && before.uses.length === 0 && !before.isGraphOutput) graph.removeNode(before.producer);
  }
}

/** Where what the layer reads enters the operators that the runtime would move a dequantizer over. */
function firstRead(node: Node, index: number): { readonly node: Node; readonly index: number } {
  let read = { node, index };
  for (let at = node.input(index).producer; at && PASSED.includes(at.opType); at = at.input(0).producer) {
    if (soleReader(at.output()) !== read.node) break;
    read = { node: at, index: 0 };
  }
  return read;
}

/** Undefined where it is not dequantized by one scale, or its number of channels is unknown. */
async function byChannel(value: Value): Promise<Value | undefined> {
  const { graph, producer } = value;
  const quantized = producer?.opType === "DequantizeLinear" ? producer.inputs[0] : undefined;
  const [scale, zeroPoint] = [producer?.inputs[1]?.constant, producer?.inputs[2]?.constant];
  const channels = quantized?.producer?.inputs[0]?.type?.shape?.[1];
  if (!quantized || scale?.size !== 1 || zeroPoint?.size !== 1 || typeof channels !== "number") return undefined;
  const [step = 1] = await scale.floats();
  const [integer = 0] = await zeroPoint.bytes();
  const name = graph.freshName(`${value.name}_float`);
  const scales = Tensor.f32([channels], new Float32Array(channels).fill(step));
  const zeroPoints = Tensor.of(zeroPoint.dataType, [channels], new Uint8Array(channels).fill(integer));
  const inputs = [
    quantized,
    graph.addInitializer(`${name}_scales`, scales),
    graph.addInitializer(`${name}_zero_points`, zeroPoints),
  ];
  const spec = { opType: "DequantizeLinear", name, inputs, outputs: [name], attributes: { axis: 1 } };
  return graph.addNode(spec, producer).output();
}
