/**
 * A layer's weights as integers, and the bias that takes back what the rounding shifts.
 *
 * Scales minimise the error of the layer's output rather than of the weights: each weight counts by the second moment
 * of the input channel it multiplies. What is left has a mean, W E[x] - Wq E[q(x)], known in closed form; the bias absorbs
 * it.
 */

import type { Tensor } from "../../ir/tensor.ts";
import { layoutAround, type RoundingSums, roundingSums, spreadOverWeights } from "../../kernels/layerError.ts";
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
  const { view } = layer;
  const bias = await layer.bias?.floats();
  const { inputScale } = options;
  const layout = layoutAround(layer.weight.dims, view.outputAxis);
  const rounded = await roundedOnce(layer, options, (scales) =>
    bias && inputScale !== undefined ? widenedForBias(scales, layout, bias, inputScale) : scales,
  );
  const { integers, scales, lost, noise, gain } = rounded;
  const shift = options.seen && inputShift(rounded, layer, options.seen);
  return {
    integers,
    scales,
    axis: view.outputAxis,
    bias: lost && layer.rule.bias !== undefined ? corrected(bias, plus(lost, shift)) : bias,
    noise,
    gain,
  };
}

export interface RoundedWeights extends RoundingSums {
  readonly integers: Int8Array;
  readonly scales: Float32Array;
}

/** What was made of a weight, by what its rounding hangs on: a search for evidence quantizes the same weights many times. */
const known = new WeakMap<Tensor, Map<string, Made[]>>();

interface Made {
  readonly channels: object | undefined;
  readonly hessian: RoundedInput | undefined;
  readonly leastError: Float32Array;
  /** Of the scales with the least error; absent where a bias asked for coarser ones. */
  readonly rounded: RoundedWeights | undefined;
}

/** `widen` gives the scales themselves where they are wide enough. */
async function roundedOnce(
  layer: Layer,
  options: WeightOptions,
  widen: (scales: Float32Array) => Float32Array,
): Promise<RoundedWeights> {
  const { weight, view } = layer;
  const form = `${options.limit} ${JSON.stringify(view)}`;
  const forms = known.get(weight) ?? new Map<string, Made[]>();
  known.set(weight, forms);
  const made = forms.get(form) ?? [];
  forms.set(form, made);
  const moments = inputMoments(layer, options.input);
  const channels = moments && options.input?.channels;
  const hessian = options.byHessian ? options.seen : undefined;
  const alike = made.filter((one) => one.channels === channels);
  const before = alike.find((one) => one.hessian === hessian);
  if (before?.rounded && widen(before.leastError) === before.leastError) return before.rounded;
  const weights = await finiteFloats(weight, layer.name);
  const layout = layoutAround(weight.dims, view.outputAxis);
  const importance = moments && spreadOverWeights(view, moments.second, weights.length);
  const leastError = alike[0]?.leastError ?? leastErrorScales(weights, layout, options.limit, importance);
  const scales = widen(leastError);
  const integers = hessian
    ? roundTogether(weights, { view, scales, limit: options.limit, seen: hessian })
    : quantizeChannels(weights, layout, scales, options.limit);
  const sums = roundingSums(view, weights, dequantizeChannels(integers, layout, scales), moments);
  const rounded = { integers, scales, ...sums };
  if (!before) made.push({ channels, hessian, leastError, rounded: scales === leastError ? rounded : undefined });
  return rounded;
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
function widenedForBias(
  scales: Float32Array,
  layout: ChannelLayout,
  bias: Float32Array,
  inputScale: number,
): Float32Array {
  const perChannel = bias.length / layout.channels;
  const least = new Float32Array(layout.channels);
  for (const [i, b] of bias.entries()) {
    const c = Math.floor(i / perChannel);
    least[c] = Math.max(least[c] ?? 0, Math.abs(b) / (inputScale * BIAS_STEPS));
  }
  if (scales.every((scale, c) => scale >= (least[c] ?? 0))) return scales;
  return scales.map((scale, c) => Math.max(scale, least[c] ?? 0));
}
