/**
 * Zero points of blocks of 4-bit weights: w = scale * (q - zero), q from 0 to 15.
 *
 * HQQ (Badri & Shaji 2023, "Half-quadratic quantization of large machine learning models"): for a given scale the zero
 * point is found that makes the sum of |error|^p least, p < 1, so that a few far weights do not pull the grid away from
 * the many. Half-quadratic splitting does it in turns: e = the error shrunk towards zero, zero = mean of q - (w - e) / scale.
 * Errors are counted in steps of the grid, so that the result does not depend on the unit of the weights. Runtimes take
 * whole zero points: the two next to it are tried, each with the scale of least squares for its integers.
 */

const MOST = 15;
/** As the paper has them: the norm's power, the first weight of the splitting, its growth. */
const POWER = 0.7;
const FIRST_BETA = 10;
const GROWTH = 1.01;
/** It changes no more after a few. */
const TURNS = 8;
const REFITS = 3;
/** The smallest numbers of f32 cannot be divided by. */
const SMALLEST_SCALE = 1e-30;

export interface ZeroPointBlocks {
  /** q - zero of every weight, -15 to 15: times the scale it is the weight. */
  readonly integers: Int8Array;
  /** [rows, blocks of a row]. */
  readonly scales: Float32Array;
  /** zero - 8 of each block, -8 to 7. */
  readonly offsets: Int8Array;
}

/**
 * `matrix` [rows, columns] in blocks along a row; the last block may be shorter. `importance`: per weight, what its squared
 * error counts. A block that loses less around a zero of 8 with the scale of `symmetric` keeps that.
 */
export function zeroPointBlocks(
  matrix: Float32Array,
  { columns, block }: { readonly columns: number; readonly block: number },
  symmetric: { readonly integers: Int8Array; readonly scales: Float32Array },
  importance?: Float32Array,
): ZeroPointBlocks {
  const blocks = Math.ceil(columns / block);
  const integers = symmetric.integers.slice();
  const scales = symmetric.scales.slice();
  const offsets = new Int8Array(scales.length);
  const tried = new Int8Array(block);
  for (let at = 0; at < scales.length; at++) {
    const row = Math.floor(at / blocks);
    const from = row * columns + (at % blocks) * block;
    const to = Math.min(from + block, (row + 1) * columns);
    const weights = matrix.subarray(from, to);
    const counts = importance?.subarray(from, to);
    let least = squaredError(weights, integers.subarray(from, to), scales[at], counts);
    const range = rangeOf(weights);
    const step = range.span / MOST;
    if (!(step > SMALLEST_SCALE)) continue;
    const zero = halfQuadraticZero(weights, step, -range.least / step);
    for (const whole of [Math.floor(zero), Math.floor(zero) + 1]) {
      if (whole < 0 || whole > MOST) continue;
      const scale = refit(weights, { step, zero: whole }, tried, counts);
      const error = squaredError(weights, tried, scale, counts);
      if (!(error < least)) continue;
      least = error;
      scales[at] = scale;
      offsets[at] = whole - 8;
      integers.set(tried.subarray(0, weights.length), from);
    }
  }
  return { integers, scales, offsets };
}

/** Zero lies within, so that it is a number of the grid. */
function rangeOf(weights: Float32Array): { least: number; span: number } {
  let [least, most] = [0, 0];
  for (let i = 0; i < weights.length; i++) {
    least = Math.min(least, weights[i]);
    most = Math.max(most, weights[i]);
  }
  return { least, span: most - least };
}

function halfQuadraticZero(weights: Float32Array, step: number, first: number): number {
  const inverse = 1 / step;
  let zero = first;
  for (let turn = 0, beta = FIRST_BETA; turn < TURNS; turn++, beta *= GROWTH) {
    let sum = 0;
    for (let i = 0; i < weights.length; i++) {
      const x = weights[i] * inverse;
      const q = clip(Math.round(x + zero));
      sum += q - x + shrunk(x - (q - zero), beta);
    }
    const next = sum / weights.length;
    if (Math.abs(next - zero) < 1e-3) return next;
    zero = next;
  }
  return zero;
}

/** The proximal step of |x|^p. */
function shrunk(x: number, beta: number): number {
  const size = Math.abs(x);
  const left = size - size ** (POWER - 1) / beta;
  return left > 0 ? Math.sign(x) * left : 0;
}

/** Leaves q - zero in `into`; gives the scale of least squares for it, rounding and fitting in turns. */
function refit(
  weights: Float32Array,
  { step, zero }: { readonly step: number; readonly zero: number },
  into: Int8Array,
  counts: Float32Array | undefined,
): number {
  let scale = step;
  for (let turn = 0; turn < REFITS; turn++) {
    roundInto(weights, scale, zero, into);
    let [product, square] = [0, 0];
    for (let i = 0; i < weights.length; i++) {
      const count = counts ? counts[i] : 1;
      product += count * weights[i] * into[i];
      square += count * into[i] * into[i];
    }
    const fitted = Math.fround(product / square);
    if (!(fitted > SMALLEST_SCALE) || fitted === scale) break;
    scale = fitted;
  }
  scale = Math.fround(scale);
  roundInto(weights, scale, zero, into);
  return scale;
}

function roundInto(weights: Float32Array, scale: number, zero: number, into: Int8Array): void {
  const inverse = 1 / scale;
  for (let i = 0; i < weights.length; i++) into[i] = clip(Math.round(weights[i] * inverse) + zero) - zero;
}

function clip(q: number): number {
  return Math.min(MOST, Math.max(0, q));
}

function squaredError(
  weights: Float32Array,
  integers: Int8Array,
  scale: number,
  counts: Float32Array | undefined,
): number {
  let error = 0;
  for (let i = 0; i < weights.length; i++) {
    const d = weights[i] - integers[i] * scale;
    error += counts ? counts[i] * d * d : d * d;
  }
  return error;
}

/** With the offset of its block added to each number of [rows, columns]. */
export function withOffsets(
  integers: Int8Array,
  { columns, block, offsets }: { readonly columns: number; readonly block: number; readonly offsets: Int8Array },
): Int8Array {
  const blocks = Math.ceil(columns / block);
  return integers.map((q, i) => q + offsets[Math.floor(i / columns) * blocks + Math.floor((i % columns) / block)]);
}

/** The weights moved so that a grid of -8 to 7 around zero rounds them as their own grid would. */
export function movedByOffsets(
  matrix: Float32Array,
  blocks: Pick<ZeroPointBlocks, "scales" | "offsets"> & { readonly columns: number; readonly block: number },
): Float32Array {
  const { scales, offsets, columns, block } = blocks;
  const perRow = Math.ceil(columns / block);
  return matrix.map((w, i) => {
    const at = Math.floor(i / columns) * perRow + Math.floor((i % columns) / block);
    return w + scales[at] * offsets[at];
  });
}
