/** Dividing a layer's input channels by factors that its weights take up: what the rounding of both then costs, and the weights. */
import type { WeightBlocks } from "./layerError.ts";

export interface ScaledChannels {
  /** What each input channel is divided by. */
  readonly factors: ArrayLike<number>;
  /** Largest |x|, mean of x^2 and variance of each channel before. */
  readonly peaks: ArrayLike<number>;
  readonly second: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
  /** Largest integer of either. */
  readonly limit: number;
}

/**
 * Noise over signal at a layer's output, white noise assumed: x / f in steps of max(peak / f) / limit, passed on by
 * w * f; and w * f in steps of its row's largest, times the mean square of x / f.
 */
export function roundingShare(weights: Float32Array, view: WeightBlocks, at: ScaledChannels): number {
  const { factors, peaks, second, variance, limit } = at;
  let most = 0;
  for (let c = 0; c < factors.length; c++) most = Math.max(most, peaks[c] / factors[c]);
  const step = most / limit;
  const { groups, outputs, inputs, taps, strides } = view;
  let signal = 0;
  let noise = 0;
  for (let g = 0; g < groups; g++) {
    for (let o = 0; o < outputs; o++) {
      let [passed, largest, power] = [0, 0, 0];
      for (let i = 0; i < inputs; i++) {
        const c = g * inputs + i;
        const f = factors[c];
        const from = g * strides.group + o * strides.output + i * strides.input;
        let gain = 0;
        for (let t = 0; t < taps; t++) {
          const w = Math.abs(weights[from + t * strides.tap]);
          gain += w * w;
          if (w * f > largest) largest = w * f;
        }
        passed += gain * f * f;
        signal += gain * variance[c];
        power += (taps * second[c]) / (f * f);
      }
      noise += (step * step * passed + (largest / limit) ** 2 * power) / 12;
    }
  }
  return signal > 0 ? noise / signal : 0;
}

/** w * f over the input channels. */
export function timesInputs(weights: Float32Array, view: WeightBlocks, factors: ArrayLike<number>): Float32Array {
  return scaled(weights, view, (input) => factors[input]);
}

/** w / f over the output channels. */
export function overOutputs(weights: Float32Array, view: WeightBlocks, factors: ArrayLike<number>): Float32Array {
  return scaled(weights, view, (_, output) => 1 / factors[output]);
}

function scaled(
  weights: Float32Array,
  { groups, outputs, inputs, taps, strides }: WeightBlocks,
  by: (input: number, output: number) => number,
): Float32Array {
  const result = new Float32Array(weights.length);
  for (let g = 0; g < groups; g++) {
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        const from = g * strides.group + o * strides.output + i * strides.input;
        const factor = by(g * inputs + i, g * outputs + o);
        for (let t = 0; t < taps; t++) {
          const at = from + t * strides.tap;
          result[at] = weights[at] * factor;
        }
      }
    }
  }
  return result;
}
