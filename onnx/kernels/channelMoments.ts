/** Sums of a tensor per channel: what bias correction and error prediction need, in a few numbers a channel. */

export interface ChannelMoments {
  readonly sum: Float64Array;
  readonly sumOfSquares: Float64Array;
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
  const { sum, sumOfSquares } = into;
  let min = Infinity;
  let max = -Infinity;
  let finite = true;
  const outer = data.length / (channels * inner) || 0;
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      let s = 0;
      let ss = 0;
      for (const end = at + inner; at < end; at++) {
        const x = data[at];
        s += x;
        ss += x * x;
        if (x < min) min = x;
        if (x > max) max = x;
      }
      // A sum of finite f32 values cannot leave f64; NaN and infinities cannot leave a sum.
      if (!Number.isFinite(ss)) finite = false;
      sum[c] += s;
      sumOfSquares[c] += ss;
    }
  }
  return { min, max, finite };
}
