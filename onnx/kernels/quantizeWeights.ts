/** Weights to signed integers around zero: w = q * scale, q at most `limit`. */
import type { WeightBlocks } from "./layerError.ts";

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
  // One channel at a time in a row of its own: it is read once for each scale that is tried.
  const channel = new Float32Array(layout.outer * layout.inner);
  const counts = importance && new Float32Array(channel.length);
  for (let c = 0; c < layout.channels; c++) {
    copyChannel(weights, layout, c, channel);
    if (importance && counts) copyChannel(importance, layout, c, counts);
    scales[c] = leastErrorScale(channel, limit, counts);
  }
  return scales;
}

function copyChannel(from: Float32Array, { outer, channels, inner }: ChannelLayout, c: number, to: Float32Array): void {
  let at = 0;
  for (let o = 0; o < outer; o++) {
    const start = (o * channels + c) * inner;
    for (let i = 0; i < inner; i++) to[at++] = from[start + i];
  }
}

/** The smallest numbers of f32 cannot be divided by. */
const SMALLEST_SCALE = 1e-30;

function leastErrorScale(channel: Float32Array, limit: number, importance: Float32Array | undefined): number {
  let most = 0;
  for (let i = 0; i < channel.length; i++) most = Math.max(most, Math.abs(channel[i]));
  if (most === 0) return 1;
  let best = 1;
  let least = Infinity;
  for (let i = 0; i <= SHRINK_STEPS; i++) {
    const scale = Math.fround((most / limit) * (1 - ((1 - SMALLEST_SHARE) * i) / SHRINK_STEPS));
    const error = squaredError(channel, scale, limit, importance);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return Math.max(best, SMALLEST_SCALE);
}

/** A block's scale of either sign: -8 is one level more than 7, and a negative scale gives it to the positive weights. */
function leastErrorSignedScale(block: Float32Array, importance: Float32Array | undefined): number {
  let most = 0;
  for (let i = 0; i < block.length; i++) most = Math.max(most, Math.abs(block[i]));
  if (most < 8 * SMALLEST_SCALE) return 1;
  let best = 1;
  let least = Infinity;
  for (let i = 0; i <= SHRINK_STEPS; i++) {
    const size = (most / 7) * (1 - ((1 - SMALLEST_SHARE) * i) / SHRINK_STEPS);
    for (const scale of [Math.fround(size), Math.fround(-size)]) {
      const error = squaredError(block, scale, 7, importance);
      if (error < least) {
        least = error;
        best = scale;
      }
    }
  }
  return best;
}

function squaredError(
  channel: Float32Array,
  scale: number,
  limit: number,
  importance: Float32Array | undefined,
): number {
  const inverse = 1 / scale;
  const least = leastInteger(limit);
  let error = 0;
  for (let i = 0; i < channel.length; i++) {
    const d = channel[i] - roundEven(channel[i] * inverse, least, limit) * scale;
    error += importance ? d * d * importance[i] : d * d;
  }
  return error;
}

/**
 * Four bits are too few to give one level away: -8 is used. Eight bits stay symmetric, which runtimes that negate a
 * weight rely on.
 */
function leastInteger(limit: number): number {
  return limit === 7 ? -8 : -limit;
}

/** Added and taken off again, this leaves a double no bits below one: the nearest integer, halves to even. */
const NO_FRACTION = 2 ** 52 + 2 ** 51;

/** To the nearest integer as QuantizeLinear rounds, within [least, most]. */
function roundEven(x: number, least: number, most: number): number {
  const rounded = x + NO_FRACTION - NO_FRACTION;
  return rounded > most ? most : Math.max(rounded, least);
}

/** q of every weight. */
export function quantizeChannels(
  weights: Float32Array,
  { channels, inner }: ChannelLayout,
  scales: Float32Array,
  limit: number,
): Int8Array {
  const quantized = new Int8Array(weights.length);
  const least = leastInteger(limit);
  for (let i = 0; i < weights.length; i++) {
    quantized[i] = roundEven(weights[i] / scales[Math.floor(i / inner) % channels], least, limit);
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

/** The weight as a matrix, one row an output channel: [groups * outputs, inputs * taps]. */
export function rowsOf(weights: Float32Array, view: WeightBlocks): Float32Array {
  const { groups, outputs, inputs, taps, strides } = view;
  const rows = new Float32Array(weights.length);
  let at = 0;
  for (let g = 0; g < groups; g++) {
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        const from = g * strides.group + o * strides.output + i * strides.input;
        for (let t = 0; t < taps; t++) rows[at++] = weights[from + t * strides.tap];
      }
    }
  }
  return rows;
}

/** The other way: numbers in rows to where a weight's lie. */
export function fromRows(rows: Int8Array, view: WeightBlocks): Int8Array {
  const { groups, outputs, inputs, taps, strides } = view;
  const weights = new Int8Array(rows.length);
  let at = 0;
  for (let g = 0; g < groups; g++) {
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        const to = g * strides.group + o * strides.output + i * strides.input;
        for (let t = 0; t < taps; t++) weights[to + t * strides.tap] = rows[at++];
      }
    }
  }
  return weights;
}

/** [rows, columns] to [columns, rows]. */
export function transposedMatrix<T extends Int8Array | Float32Array>(matrix: T, rows: number, columns: number): T;
export function transposedMatrix(
  matrix: Int8Array | Float32Array,
  rows: number,
  columns: number,
): Int8Array | Float32Array {
  const out = matrix.slice();
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = matrix[r * columns + c];
  return out;
}

/** Nibbles of MatMulNBits: [rows, blocks, block / 2] bytes, each number plus 8, the last block of a row filled with 8. */
export function packOffsetNibbles(values: Int8Array, columns: number, block: number): Uint8Array {
  const rows = values.length / columns;
  const padded = Math.ceil(columns / block) * block;
  const packed = new Uint8Array((rows * padded) / 2).fill(0x88);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const at = (r * padded + c) >> 1;
      const shift = (c & 1) * 4;
      packed[at] = (packed[at] & ~(15 << shift)) | ((values[r * columns + c] + 8) << shift);
    }
  }
  return packed;
}

/** Bytes of MatMulNBits: [rows, blocks, block], each number plus 128, the last block of a row filled with 128. */
export function packOffsetBytes(values: Int8Array, columns: number, block: number): Uint8Array {
  const rows = values.length / columns;
  const padded = Math.ceil(columns / block) * block;
  const packed = new Uint8Array(rows * padded).fill(128);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) packed[r * padded + c] = values[r * columns + c] + 128;
  }
  return packed;
}

export interface BlockForm {
  readonly columns: number;
  readonly block: number;
  readonly bits: 4 | 8;
  /** Whether the reader takes scales below zero: ONNX Runtime does, TensorRT does not. They serve 4 bits alone. */
  readonly signed: boolean;
}

/** Integers and least-error scales of [rows, columns] in blocks along a row; the last block may be shorter. */
export function quantizeBlocks(
  matrix: Float32Array,
  { columns, block, bits, signed }: BlockForm,
  importance?: Float32Array,
): { scales: Float32Array; integers: Int8Array } {
  const rows = matrix.length / columns;
  const blocks = Math.ceil(columns / block);
  const scales = new Float32Array(rows * blocks);
  const integers = new Int8Array(matrix.length);
  const limit = bits === 4 ? 7 : 127;
  const least = leastInteger(limit);
  for (let r = 0; r < rows; r++) {
    for (let b = 0; b < blocks; b++) {
      const from = r * columns + b * block;
      const to = Math.min(from + block, (r + 1) * columns);
      const part = matrix.subarray(from, to);
      const counts = importance?.subarray(from, to);
      const scale = signed ? leastErrorSignedScale(part, counts) : leastErrorScale(part, limit, counts);
      scales[r * blocks + b] = scale;
      for (let i = from; i < to; i++) integers[i] = roundEven(matrix[i] / scale, least, limit);
    }
  }
  return { scales, integers };
}

/** Per row the sum of what the blocks lost of each weight, times `factor` of the weight. */
export function lostPerRow(matrix: Float32Array, weights: BlockQuantized, factor: Float32Array): Float64Array {
  return errorPerRow(matrix, weights, (error, i) => error * factor[i]);
}

/** Per row the variance that the blocks' rounding adds to its output, from the variance of what each weight multiplies. */
export function noisePerRow(matrix: Float32Array, weights: BlockQuantized, variance: Float32Array): Float64Array {
  return errorPerRow(matrix, weights, (error, i) => error * error * variance[i]);
}

function errorPerRow(
  matrix: Float32Array,
  { integers, scales, columns, perRow, block }: BlockQuantized,
  count: (error: number, index: number) => number,
): Float64Array {
  const sums = new Float64Array(matrix.length / columns);
  for (let i = 0; i < matrix.length; i++) {
    const row = Math.floor(i / columns);
    const scale = scales[row * perRow + Math.floor((i % columns) / block)];
    sums[row] += count(matrix[i] - integers[i] * scale, i);
  }
  return sums;
}

export interface BlockQuantized {
  readonly integers: Int8Array;
  readonly scales: Float32Array;
  readonly columns: number;
  /** Blocks of a row. */
  readonly perRow: number;
  readonly block: number;
}

/** Squared weights, and squared errors of what the blocks hold of them. */
export function blockError(matrix: Float32Array, weights: BlockQuantized): { signal: number; noise: number } {
  const { integers, scales, columns, perRow, block } = weights;
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < matrix.length; i++) {
    const scale = scales[Math.floor(i / columns) * perRow + Math.floor((i % columns) / block)];
    signal += matrix[i] * matrix[i];
    noise += (matrix[i] - integers[i] * scale) ** 2;
  }
  return { signal, noise };
}
