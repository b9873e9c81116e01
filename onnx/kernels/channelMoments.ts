/** Sums of a tensor per channel: what bias correction and error prediction need, in a few numbers a channel. */

export interface ChannelMoments {
  readonly sum: Float64Array;
  readonly sumOfSquares: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
}

export function newMoments(channels: number): ChannelMoments {
  return {
    sum: new Float64Array(channels),
    sumOfSquares: new Float64Array(channels),
    min: new Float64Array(channels).fill(Infinity),
    max: new Float64Array(channels).fill(-Infinity),
  };
}

/**
 * Adds one tensor, laid out [outer, channels, inner], to the moments and returns its range. A NaN or an infinity makes
 * `finite` false; the moments are then of no use.
 */
export function addMoments(
  data: Float32Array,
  channels: number,
  inner: number,
  into: ChannelMoments,
): { min: number; max: number; finite: boolean } {
  const outer = data.length / (channels * inner) || 0;
  const range = { min: Infinity, max: -Infinity, finite: true };
  if (inner === 1) addRows(data, channels, into, range);
  else for (let o = 0; o < outer; o++) addPlanes(data.subarray(o * channels * inner), inner, into, range);
  return range;
}

interface RangeSoFar {
  min: number;
  max: number;
  finite: boolean;
}

/** One plane of `inner` values a channel, several sums at a time: each waits for its last addition. */
function addPlanes(data: Float32Array, inner: number, into: ChannelMoments, range: RangeSoFar): void {
  const { sum, sumOfSquares } = into;
  let at = 0;
  for (let c = 0; c < sum.length; c++) {
    let [s, ss, t, tt] = [0, 0, 0, 0];
    let [min, max] = [Infinity, -Infinity];
    const end = at + inner;
    for (; at < end - 3; at += 4) {
      const x = data[at];
      const y = data[at + 1];
      const z = data[at + 2];
      const w = data[at + 3];
      s += x + z;
      ss += x * x + z * z;
      t += y + w;
      tt += y * y + w * w;
      if (x < min) min = x;
      if (x > max) max = x;
      if (y < min) min = y;
      if (y > max) max = y;
      if (z < min) min = z;
      if (z > max) max = z;
      if (w < min) min = w;
      if (w > max) max = w;
    }
    for (; at < end; at++) {
      const x = data[at];
      s += x;
      ss += x * x;
      if (x < min) min = x;
      if (x > max) max = x;
    }
    // A sum of finite f32 values cannot leave f64; NaN and infinities cannot leave a sum.
    if (!Number.isFinite(ss + tt)) range.finite = false;
    sum[c] += s + t;
    sumOfSquares[c] += ss + tt;
    widen(into, c, min, max);
    range.min = Math.min(range.min, min);
    range.max = Math.max(range.max, max);
  }
}

function widen(into: ChannelMoments, c: number, min: number, max: number): void {
  if (min < into.min[c]) into.min[c] = min;
  if (max > into.max[c]) into.max[c] = max;
}

/** Channels last. */
function addRows(data: Float32Array, channels: number, into: ChannelMoments, range: RangeSoFar): void {
  const { sum, sumOfSquares } = into;
  let { min, max } = range;
  let squares = 0;
  for (let row = 0; row < data.length; row += channels) {
    for (let c = 0; c < channels; c++) {
      const x = data[row + c];
      sum[c] += x;
      sumOfSquares[c] += x * x;
      squares += x * x;
      widen(into, c, x, x);
      if (x < min) min = x;
      if (x > max) max = x;
    }
  }
  if (!Number.isFinite(squares)) range.finite = false;
  range.min = min;
  range.max = max;
}
