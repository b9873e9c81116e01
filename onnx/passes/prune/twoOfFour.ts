/**
 * 2:4 sparsity: of every four weights in a row along the channels that a layer reads, two are zero, the pattern that
 * NVIDIA's sparse tensor cores (compute capability 8.0 and later) skip. Shapes stay: no other device gains by it.
 *
 * With items at hand, the two go that the layer's output loses least without, and later channels make good for them;
 * without, the two smallest. Depthwise layers stay, and layers whose channels do not come in fours.
 */
import type { Model } from "../../ir/graph.ts";
import { copyReader, zeroTwoOfFour } from "../../kernels/elimination.ts";
import type { PassContext } from "../pass.ts";
import { layersOf } from "./layers.ts";
import { PruneRefusal } from "./pruneRefusal.ts";
import { blindReader, type ChannelReader, channelReaders } from "./readers.ts";
import type { SparseLayer, SparseOptions } from "./unstructured.ts";
import { writeReader } from "./writeReader.ts";

/** Changes the model in place; types must be inferred and constants be initializers. */
export async function pruneTwoOfFour(
  model: Model,
  measured: SparseOptions["measured"],
  ctx: PassContext,
): Promise<readonly SparseLayer[]> {
  const readers = (await readersOf(model, measured, ctx)).filter(({ linear }) => linear.inputs % 4 === 0);
  if (readers.length === 0) {
    throw new PruneRefusal(
      "nothing-to-prune",
      "this model has no layer whose float weights read channels in fours",
      "Prune before quantizing, on the float model; depthwise layers have no such pattern.",
    );
  }
  const layers: SparseLayer[] = [];
  for (const reader of readers) {
    ctx.signal?.throwIfAborted();
    const rest = copyReader(reader.linear);
    const zeros = zeroTwoOfFour(rest);
    await writeReader(model, reader, rest.weights);
    const { node, y } = reader.layer;
    layers.push({ node: node.name || y.name, weights: rest.weights.length, zeros });
    ctx.progress?.(layers.length, readers.length, "layers");
  }
  return layers;
}

async function readersOf(
  model: Model,
  measured: SparseOptions["measured"],
  { signal }: PassContext,
): Promise<readonly ChannelReader[]> {
  if (measured) {
    const found = await channelReaders(model, { ...measured, refit: true, ...(signal && { signal }) });
    return [...found.values()];
  }
  const layers = new Map(
    layersOf(model.graph)
      .filter(({ inAxis }) => inAxis !== undefined)
      .map((layer) => [layer.weight, layer]),
  );
  return Promise.all([...layers.values()].map(blindReader));
}
