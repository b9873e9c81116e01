/** Puts the changed weights of a reader into a model (the reader's own or a copy with the same names). */
import type { Model, Node } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { type ChannelReader, rowPlaces } from "./readers.ts";

/** New weights (inputs x outputs), and what left on average in a bias of the layer's own. */
export async function writeReader(model: Model, reader: ChannelReader, weights: Float64Array): Promise<void> {
  const { layer, means } = reader;
  const [weight, output] = [model.graph.values.get(layer.weight.name), model.graph.values.get(layer.y.name)];
  const dims = weight?.initializer?.dims;
  const node = output?.producer;
  if (!weight || !dims || !node || layer.inAxis === undefined) return;
  const place = rowPlaces(dims, layer.inAxis);
  const data = new Float32Array(weights.length);
  for (const at of data.keys()) data[at] = weights[place(at)] ?? 0;
  weight.initializer = Tensor.f32(dims, data);
  if (!means) return;
  await addToBias(node, meanLost(reader.linear.weights, weights, { means, outputs: dims[layer.outAxis] ?? 1 }));
}

/** Into a bias of the layer's own; left as it is where it has one of another size. */
export async function addToBias(node: Node, shift: Float32Array): Promise<void> {
  const old = await node.inputs[2]?.initializer?.floats();
  if (old ? old.length !== shift.length : node.inputs[2]) return;
  const bias = shift.map((delta, m) => (old?.[m] ?? 0) + delta);
  const name = `${node.inputs[1]?.name ?? node.name}_bias`;
  node.setInput(2, node.graph.addInitializer(name, Tensor.f32([bias.length], bias)));
}

/** W mean(x) of old weights less that of new ones, by output. */
export function meanLost(
  old: Float64Array,
  now: Float64Array,
  { means, outputs }: { readonly means: Float64Array; readonly outputs: number },
): Float32Array {
  const shift = new Float32Array(outputs);
  const width = old.length / means.length;
  for (let at = 0; at < old.length; at++) {
    const m = Math.floor(((at % width) * outputs) / width);
    shift[m] = (shift[m] ?? 0) + ((old[at] ?? 0) - (now[at] ?? 0)) * (means[Math.floor(at / width)] ?? 0);
  }
  return shift;
}
