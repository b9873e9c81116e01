/** Weights to signed integers, symmetric: w = q * scale with q in [-limit, limit]. */

/** A tensor seen as [outer, channels, inner], one scale a channel. */
export interface ChannelLayout {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/** Shares of a channel's largest |w| that are tried as its range. */
const SHRINK_STEPS = 24;
const SMALLEST_SHARE = 0.6;

/**
 * The scale of each channel with the least squared error, weighted by `importance` (per weight; the second moment of
 * the input that it multiplies). A channel of zeros gets 1.
 */
export function leastErrorScales(
  weights: Float32Array,
  layout: ChannelLayout,
  limit: number,
  importance?: Float32Array,
): Float32Array {
  const scales = new Float32Array(layout.channels);
  for (let c = 0; c < layout.channels; c++) {
    const most = largest(weights, layout, c);
    if (most === 0) {
      scales[c] = 1;
      continue;
    }
    let least = Infinity;
    for (let i = 0; i <= SHRINK_STEPS; i++) {
      const scale = Math.fround((most / limit) * (1 - ((1 - SMALLEST_SHARE) * i) / SHRINK_STEPS));
      const error = squaredError(weights, layout, { channel: c, scale, limit, importance });
      if (error < least) {
        least = error;
        scales[c] = scale;
      }
    }
    // The smallest numbers of f32 cannot be divided by.
    if (scales[c] < 1e-30) scales[c] = 1e-30;
  }
  return scales;
}

function largest(weights: Float32Array, { outer, channels, inner }: ChannelLayout, channel: number): number {
  let most = 0;
  for (let o = 0; o < outer; o++) {
    const from = (o * channels + channel) * inner;
    for (let i = from; i < from + inner; i++) {
      const x = Math.abs(weights[i]);
      if (x > most) most = x;
    }
  }
  return most;
}

function squaredError(
  weights: Float32Array,
  { outer, channels, inner }: ChannelLayout,
  at: { channel: number; scale: number; limit: number; importance: Float32Array | undefined },
): number {
  const { channel, scale, limit, importance } = at;
  let error = 0;
  for (let o = 0; o < outer; o++) {
    const from = (o * channels + channel) * inner;
    for (let i = from; i < from + inner; i++) {
      const d = weights[i] - roundEven(weights[i] / scale, limit) * scale;
      error += importance ? d * d * importance[i] : d * d;
    }
  }
  return error;
}

/** To the nearest integer, halves to even as QuantizeLinear does, within [-limit, limit]. */
function roundEven(x: number, limit: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  const rounded = rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
  return rounded > limit ? limit : Math.max(rounded, -limit);
}

/** q of every weight. */
export function quantizeChannels(
  weights: Float32Array,
  { channels, inner }: ChannelLayout,
  scales: Float32Array,
  limit: number,
): Int8Array {
  const quantized = new Int8Array(weights.length);
  for (let i = 0; i < weights.length; i++) {
    quantized[i] = roundEven(weights[i] / scales[Math.floor(i / inner) % channels], limit);
  }
  return quantized;
}

/** q * scale. */
export function dequantizeChannels(
  quantized: Int8Array,
  { channels, inner }: ChannelLayout,
  scales: Float32Array,
): Float32Array {
  const weights = new Float32Array(quantized.length);
  for (let i = 0; i < weights.length; i++) weights[i] = quantized[i] * scales[Math.floor(i / inner) % channels];
  return weights;
}

/** Two 4-bit numbers a byte, the low one first (onnx.proto, TensorProto). */
export function packNibbles(values: Int8Array): Uint8Array {
  const packed = new Uint8Array(Math.ceil(values.length / 2));
  for (let i = 0; i < values.length; i++) packed[i >> 1] |= (values[i] & 15) << ((i & 1) * 4);
  return packed;
}
