/** How far an output is off, channel by channel, so that large numbers (boxes) do not hide small ones (scores). */
import type { Variation } from "./variation.ts";

/** The axis of an output that tells its numbers apart: axis 1 of maps, else the shortest behind the batch. */
export function channelAxis(dims: readonly number[]): number {
  if (dims.length === 4) return 1;
  let best = Math.min(1, dims.length - 1);
  for (let axis = 1; axis < dims.length; axis++) if (dims[axis] <= dims[best]) best = axis;
  return best;
}

/** Adds (actual - expected)^2 to its channel. */
export function addChannelErrors(
  expected: Float32Array,
  actual: Float32Array,
  dims: readonly number[],
  into: Float64Array,
): void {
  const inner = innerOf(dims);
  for (let i = 0; i < expected.length; i++)
    into[Math.floor(i / inner) % into.length] += (actual[i] - expected[i]) * (actual[i] - expected[i]);
}

/** Sum over elements and items of (x - mean)^2, by channel. */
export function channelVariation({ sum, sumOfSquares, items }: Variation, dims: readonly number[]): Float64Array {
  const channels = new Float64Array(dims[channelAxis(dims)] ?? 1);
  const inner = innerOf(dims);
  for (let i = 0; i < sum.length; i++)
    channels[Math.floor(i / inner) % channels.length] += Math.max(0, sumOfSquares[i] - (sum[i] * sum[i]) / items);
  return channels;
}

function innerOf(dims: readonly number[]): number {
  return dims.slice(channelAxis(dims) + 1).reduce((a, b) => a * b, 1);
}

/**
 * Mean over the channels of error / variation, each weighed by its amplitude (the root of its variation): by energy, boxes
 * in pixels would hide the scores; evenly, classes that hardly occur would outvote the rest. What never varies is left
 * out.
 */
export function relativeError(errors: Float64Array, variation: Float64Array): number {
  let [sum, weights] = [0, 0];
  for (let c = 0; c < errors.length; c++) {
    const amplitude = Math.sqrt(variation[c]);
    if (!(amplitude > 0)) continue;
    sum += errors[c] / amplitude;
    weights += amplitude;
  }
  return weights > 0 ? sum / weights : 0;
}
