/**
 * Unstructured pruning: single weights become zero, wherever they are in the layers that mix channels. Shapes stay, so no
 * runtime gets faster by it; the file is smaller once it is compressed.
 *
 * With items at hand, a weight's price is the share of its layer's output that is lost without it, compared over the
 * whole model, and the weights that stay make good for it (SparseGPT). Without, the smallest go (Han et al. 2015),
 * relative to each tensor's RMS. Depthwise layers stay: they are small, and each of their weights is dear.
 */
import type { Evaluator } from "../../evaluator.ts";
import type { Model, Value } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { Tensor } from "../../ir/tensor.ts";
import { copyReader, weightScores, zeroWeightsBelow } from "../../kernels/elimination.ts";
import {
  addMagnitudes,
  newMagnitudeHistogram,
  rootMeanSquare,
  thresholdFor,
  zeroBelow,
} from "../../kernels/magnitude.ts";
import type { PassContext } from "../pass.ts";
import { type Layer, layersOf } from "./layers.ts";
import { PruneRefusal } from "./pruneRefusal.ts";
import { channelReaders } from "./readers.ts";
import { writeReader } from "./writeReader.ts";

export interface SparseLayer {
  readonly node: string;
  readonly weights: number;
  readonly zeros: number;
}

export interface SparseOptions {
  /** Share of the weights that become zero. */
  readonly sparsity: number;
  /** What weights are worth is measured on these; none: by their size. */
  readonly measured?: { readonly evaluator: Evaluator; readonly items: readonly HostTensors[] } | undefined;
}

/** Changes the model in place; types must be inferred and constants be initializers. */
export async function pruneWeights(
  model: Model,
  { sparsity, measured }: SparseOptions,
  ctx: PassContext,
): Promise<readonly SparseLayer[]> {
  const mixing = layersOf(model.graph).filter((layer) => layer.inAxis !== undefined);
  const layers = new Map(mixing.toReversed().map((layer) => [layer.weight, layer]));
  if (layers.size === 0) {
    throw new PruneRefusal(
      "nothing-to-prune",
      "this model has no layer that mixes channels with constant f32 weights",
      "Prune before quantizing, on the float model.",
    );
  }
  const ordered = [...layers.values()].toReversed();
  return measured ? byLoss(model, { sparsity, ...measured }, ctx) : bySize(ordered, sparsity, ctx);
}

async function byLoss(
  model: Model,
  { sparsity, evaluator, items }: { sparsity: number; evaluator: Evaluator; items: readonly HostTensors[] },
  ctx: PassContext,
): Promise<readonly SparseLayer[]> {
  const signal = ctx.signal ? { signal: ctx.signal } : {};
  const readers = [...(await channelReaders(model, { evaluator, items, refit: true, ...signal })).values()];
  const scores = readers.map(({ linear }) => weightScores(linear));
  const histogram = newMagnitudeHistogram();
  for (const each of scores) addMagnitudes(histogram, each, 1);
  const threshold = thresholdFor(histogram, sparsity);
  const result: SparseLayer[] = [];
  for (const [i, reader] of readers.entries()) {
    ctx.signal?.throwIfAborted();
    const rest = copyReader(reader.linear);
    const zeros = zeroWeightsBelow(rest, scores[i] ?? new Float32Array(0), threshold);
    await writeReader(model, reader, rest.weights);
    result.push({ node: nameOf(reader.layer), weights: rest.weights.length, zeros });
    ctx.progress?.(result.length, readers.length, "layers");
  }
  return result;
}

async function bySize(layers: readonly Layer[], sparsity: number, ctx: PassContext): Promise<readonly SparseLayer[]> {
  const histogram = newMagnitudeHistogram();
  const scales = new Map<Value, number>();
  for (const { weight } of layers) {
    ctx.signal?.throwIfAborted();
    const data = (await weight.initializer?.floats()) ?? new Float32Array(0);
    const rms = rootMeanSquare(data);
    scales.set(weight, rms);
    if (rms > 0) addMagnitudes(histogram, data, rms);
  }
  const threshold = thresholdFor(histogram, sparsity);
  const result: SparseLayer[] = [];
  for (const layer of layers) {
    ctx.signal?.throwIfAborted();
    const tensor = layer.weight.initializer;
    if (!tensor) continue;
    const data = Float32Array.from(await tensor.floats());
    const zeros = zeroBelow(data, threshold * (scales.get(layer.weight) ?? 0));
    layer.weight.initializer = Tensor.f32(tensor.dims, data);
    result.push({ node: nameOf(layer), weights: data.length, zeros });
    ctx.progress?.(result.length, layers.length, "layers");
  }
  return result;
}

function nameOf({ node, y }: Layer): string {
  return node.name || y.name;
}
