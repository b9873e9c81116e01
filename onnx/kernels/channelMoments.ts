/** Sums of a tensor per channel: what bias correction and error prediction need, in a few numbers a channel. */
export interface ChannelMoments {
  readonly sum: Float64Array;
  readonly sumOfSquares: Float64Array;
}

export function newMoments(channels: number): ChannelMoments {
  return { sum: new Float64Array(channels), sumOfSquares: new Float64Array(channels) };
}

/** Adds one tensor, laid out [outer, channels, inner]. */
export function addMoments(data: Float32Array, inner: number, into: ChannelMoments): void {
  if (inner === 1) addRows(data, into);
  else addPlanes(data, inner, into);
}

/** One plane of `inner` values a channel, several sums at a time: each waits for its last addition. */
function addPlanes(data: Float32Array, inner: number, { sum, sumOfSquares }: ChannelMoments): void {
  const channels = sum.length;
  for (let at = 0, plane = 0; at < data.length; plane++) {
    let [s, ss, t, tt] = [0, 0, 0, 0];
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
    }
    for (; at < end; at++) {
      s += data[at];
      ss += data[at] * data[at];
    }
    sum[plane % channels] += s + t;
    sumOfSquares[plane % channels] += ss + tt;
  }
}

/** Channels last. */
function addRows(data: Float32Array, { sum, sumOfSquares }: ChannelMoments): void {
  const channels = sum.length;
  for (let row = 0; row < data.length; row += channels) {
    for (let c = 0; c < channels; c++) {
      const x = data[row + c];
      sum[c] += x;
      sumOfSquares[c] += x * x;
    }
  }
}
