/**
 * A layer's weights as integers, and the bias that takes back what the rounding shifts.
 *
 * Scales minimise the error of the layer's output rather than of the weights: each weight counts by the second moment
 * of the input channel it multiplies. What is left has a mean, W E[x] - Wq E[q(x)], known in closed form; the bias absorbs
 * it.
 */

import type { Tensor } from "../../ir/tensor.ts";
import { layoutAround, spreadOverWeights, sumPerOutput } from "../../kernels/layerError.ts";
import {
  type ChannelLayout,
  dequantizeChannels,
  leastErrorScales,
  quantizeChannels,
} from "../../kernels/quantizeWeights.ts";
import type { TensorCalibration } from "../calibrate/table.ts";
import { finiteFloats } from "./finiteFloats.ts";
import type { Layer } from "./layers.ts";
import type { RoundedInput } from "./roundedInputs.ts";
import { inputShift, roundTogether } from "./roundTogether.ts";

export interface QuantizedWeights {
  readonly integers: Int8Array;
  readonly scales: Float32Array;
  /** Axis of the scales; undefined for one scale. */
  readonly axis: number | undefined;
  /** Corrected; undefined where the layer has none and the operator takes none. */
  readonly bias: Float32Array | undefined;
  /** Per output channel: variance that the rounded weights add to the layer's output. */
  readonly noise: Float64Array;
  /** Per output channel: sum of squared weights, the gain of white noise on the input. */
  readonly gain: Float64Array;
}

export interface WeightOptions {
  /** Largest integer of the weights. */
  readonly limit: number;
  /** Of the layer's input; absent where nothing was calibrated. */
  readonly input: Pick<TensorCalibration, "channels"> | undefined;
  /** Scale of the input's integers, where the bias must become int32. */
  readonly inputScale?: number;
  /** What the layer reads once its input is rounded, where that was observed: the bias then takes back that shift too. */
  readonly seen?: RoundedInput | undefined;
  /** Rounds weights by what they multiply, together, rather than each to the nearest. */
  readonly byHessian?: boolean | undefined;
}

/** int32 holds the bias at this many steps, with room for the sum it is added to. */
const BIAS_STEPS = 2 ** 29;

export async function quantizeLayerWeights(layer: Layer, options: WeightOptions): Promise<QuantizedWeights> {
  const { view, weight } = layer;
  const weights = await finiteFloats(weight, layer.name);
  const moments = inputMoments(layer, options.input);
  const layout = layoutAround(weight.dims, view.outputAxis);
  const importance = moments && spreadOverWeights(view, moments.second, weights.length);
  const bias = await layer.bias?.floats();
  const scales = (await scalesOf(layer, options, { layout, importance })).slice();
  if (options.inputScale !== undefined && bias) widenForBias(scales, layout, bias, options.inputScale);
  const { seen, limit } = options;
  const integers =
    seen && options.byHessian
      ? roundTogether(weights, { view, scales, limit, seen })
      : quantizeChannels(weights, layout, scales, limit);
  const rounded = dequantizeChannels(integers, layout, scales);
  const shift = seen && inputShift(rounded, view, seen);
  const lost = (i: number) => (weights[i] ?? 0) - (rounded[i] ?? 0);
  return {
    integers,
    scales,
    axis: view.outputAxis,
    bias:
      moments && layer.rule.bias !== undefined
        ? corrected(bias, plus(sumPerOutput(view, lost, moments.mean), shift))
        : bias,
    noise: sumPerOutput(view, (i) => lost(i) ** 2, moments?.variance),
    gain: sumPerOutput(view, (i) => (weights[i] ?? 0) ** 2, undefined),
  };
}

/** Scales by weight, by the moments that weigh it: a search for evidence quantizes the same weights many times. */
const known = new WeakMap<Tensor, Map<object | undefined, Float32Array>>();

async function scalesOf(
  { weight }: Layer,
  { limit, input }: WeightOptions,
  { layout, importance }: { layout: ChannelLayout; importance: Float32Array | undefined },
): Promise<Float32Array> {
  const byMoments = known.get(weight) ?? new Map<object | undefined, Float32Array>();
  known.set(weight, byMoments);
  const key = importance && input?.channels;
  const scales = byMoments.get(key) ?? leastErrorScales(await weight.floats(), layout, limit, importance);
  byMoments.set(key, scales);
  return scales;
}

/** Moments of the input's channels where there is one for each input channel of the weight. */
export function inputMoments({ view }: Layer, input: WeightOptions["input"]) {
  const { mean, variance } = input?.channels ?? { mean: [], variance: [] };
  if (mean.length !== view.groups * view.inputs) return undefined;
  return { mean, variance, second: mean.map((m, i) => m * m + (variance[i] ?? 0)) };
}

function plus(a: Float64Array, b: Float64Array | undefined): Float64Array {
  return b ? a.map((x, i) => x + (b[i] ?? 0)) : a;
}

/** The bias with what rounding shifted away, per output channel. */
export function corrected(bias: Float32Array | undefined, shift: Float64Array): Float32Array {
  return Float32Array.from(shift, (s, c) => s + (bias?.[c] ?? 0));
}

/** A bias far larger than its channel's weights would leave int32: its channel takes a coarser scale. */
function widenForBias(scales: Float32Array, layout: ChannelLayout, bias: Float32Array, inputScale: number): void {
  const perChannel = bias.length / layout.channels;
  for (const [i, b] of bias.entries()) {
    const c = Math.floor(i / perChannel);
    scales[c] = Math.max(scales[c] ?? 0, Math.abs(b) / (inputScale * BIAS_STEPS));
  }
}
