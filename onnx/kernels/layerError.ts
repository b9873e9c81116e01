/** What quantizing a layer's weights does to its outputs, in closed form from the moments of its input channels. */
import type { ChannelLayout } from "./quantizeWeights.ts";

/** As `WeightView` of onnx/ops/quantizeRule.ts. */
export interface WeightBlocks {
  readonly groups: number;
  readonly outputs: number;
  readonly inputs: number;
  readonly taps: number;
  readonly strides: { readonly group: number; readonly output: number; readonly input: number; readonly tap: number };
}

/** For every weight the value of its input channel. */
export function spreadOverWeights(view: WeightBlocks, perInput: ArrayLike<number>, size: number): Float32Array {
  const spread = new Float32Array(size);
  forEachWeight(view, (index, input) => {
    spread[index] = perInput[input];
  });
  return spread;
}

/** Per output channel the sum of a * b over its weights, where b is of the input channel. */
export function sumPerOutput(view: WeightBlocks, perWeight: Float32Array, perInput: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(view.groups * view.outputs);
  forEachWeight(view, (index, input, output) => {
    sums[output] += perWeight[index] * perInput[input];
  });
  return sums;
}

export interface RoundingSums {
  /** Per output channel the mean that rounding takes from the layer's output; undefined without moments. */
  readonly lost: Float64Array | undefined;
  /** Per output channel the variance that rounding adds to it; of white input of variance 1 without moments. */
  readonly noise: Float64Array;
  /** Per output channel the sum of squared weights. */
  readonly gain: Float64Array;
}

/** What rounded weights do to a layer, from the moments of its input channels. */
export function roundingSums(
  view: WeightBlocks,
  weights: Float32Array,
  rounded: Float32Array,
  moments: { readonly mean: ArrayLike<number>; readonly variance: ArrayLike<number> } | undefined,
): RoundingSums {
  const count = view.groups * view.outputs;
  const [lost, noise, gain] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const inputs = view.groups * view.inputs;
  const mean = Float64Array.from({ length: inputs }, (_, i) => moments?.mean[i] ?? 0);
  const variance = Float64Array.from({ length: inputs }, (_, i) => moments?.variance[i] ?? 1);
  forEachWeight(view, (index, input, output) => {
    const error = weights[index] - rounded[index];
    lost[output] += error * mean[input];
    noise[output] += error * error * variance[input];
    gain[output] += weights[index] * weights[index];
  });
  return { lost: moments && lost, noise, gain };
}

function forEachWeight(view: WeightBlocks, visit: (index: number, input: number, output: number) => void): void {
  const { groups, outputs, inputs, taps, strides } = view;
  for (let g = 0; g < groups; g++) {
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        const from = g * strides.group + o * strides.output + i * strides.input;
        for (let t = 0; t < taps; t++) visit(from + t * strides.tap, g * inputs + i, g * outputs + o);
      }
    }
  }
}

/** A weight as [outer, channels, inner] around its output axis; one channel where one scale serves all. */
export function layoutAround(dims: readonly number[], axis: number | undefined): ChannelLayout {
  const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);
  if (axis === undefined) return { outer: 1, channels: 1, inner: product(dims) };
  return { outer: product(dims.slice(0, axis)), channels: dims[axis], inner: product(dims.slice(axis + 1)) };
}
