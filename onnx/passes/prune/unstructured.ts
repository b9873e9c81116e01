/**
 * Unstructured magnitude pruning (Han et al. 2015): the smallest weights become zero, wherever they are. Magnitudes are
 * taken relative to each tensor's RMS and compared over the whole model. Shapes stay, so no runtime gets faster by it;
 * the file is smaller once it is compressed.
 */
import type { Model } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import {
  addMagnitudes,
  newMagnitudeHistogram,
  rootMeanSquare,
  thresholdFor,
  zeroBelow,
} from "../../kernels/magnitude.ts";
import type { PassContext } from "../pass.ts";
import { layersOf } from "./layers.ts";
import { PruneRefusal } from "./pruneRefusal.ts";

export interface SparseLayer {
  readonly node: string;
  readonly weights: number;
  readonly zeros: number;
}

/** Changes the model in place; types must be inferred and constants be initializers. */
export async function pruneWeights(model: Model, sparsity: number, ctx: PassContext): Promise<readonly SparseLayer[]> {
  const layers = [...new Map(layersOf(model.graph).map((layer) => [layer.weight, layer])).values()];
  if (layers.length === 0) {
    throw new PruneRefusal(
      "nothing-to-prune",
      "this model has no layer with constant f32 weights",
      "Prune before quantizing, on the float model.",
    );
  }
  const histogram = newMagnitudeHistogram();
  const scales = new Map<string, number>();
  for (const { weight } of layers) {
    ctx.signal?.throwIfAborted();
    const data = (await weight.initializer?.floats()) ?? new Float32Array(0);
    const rms = rootMeanSquare(data);
    scales.set(weight.name, rms);
    if (rms > 0) addMagnitudes(histogram, data, rms);
  }
  const threshold = thresholdFor(histogram, sparsity);
  const result: SparseLayer[] = [];
  for (const { node, weight, y } of layers) {
    ctx.signal?.throwIfAborted();
    const tensor = weight.initializer;
    if (!tensor) continue;
    const data = Float32Array.from(await tensor.floats());
    const zeros = zeroBelow(data, threshold * (scales.get(weight.name) ?? 0));
    weight.initializer = Tensor.f32(tensor.dims, data);
    result.push({ node: node.name || y.name, weights: data.length, zeros });
    ctx.progress?.(result.length, layers.length, "layers");
  }
  return result;
}
