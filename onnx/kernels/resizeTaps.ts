/**
 * Which source pixels make a resized one, and with what weights: the tables of OpenCV's `resize` for 8-bit images
 * (imgproc/src/resize.cpp), along one axis. Detectors are trained behind that function, and its choices shift mAP.
 */

/** `taps` source indices (clamped to the image, in steps) and fixed-point weights for each of `length` results. */
export interface FixedTaps {
  readonly taps: number;
  readonly indices: Int32Array;
  /** 11 fractional bits. */
  readonly weights: Int32Array;
}

export const WEIGHT_BITS = 11;
const WEIGHT_ONE = 1 << WEIGHT_BITS;

/** A run of source pixels for each result: the first and the last in part, those between in full. */
export interface AreaTaps {
  /** Source pixels a result. */
  readonly scale: number;
  /** Weight of a full pixel; the partial ones have a share of it. */
  readonly unit: number;
  /** The partial pixel before the run; its weight is 0 where there is none. */
  readonly first: Int32Array;
  readonly firstWeight: Int32Array;
  /** Full pixels: from `start` up to, not including, `end`; `end` itself is the partial one behind the run. All in steps. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly endWeight: Int32Array;
}

/** The part of the resized axis that is wanted: `length` results from `from`. */
export interface Axis {
  readonly source: number;
  readonly scaled: number;
  readonly from: number;
  readonly length: number;
  /** What one step along the axis adds to an index: 3 for the bytes of a pixel. */
  readonly step: number;
}

/** Two taps. `area` places them as INTER_AREA does where it enlarges. */
export function linearTaps(axis: Axis, area: boolean, clampWeights: boolean): FixedTaps {
  const { source, length, step } = axis;
  const inverse = axis.scaled / source;
  const scale = 1 / inverse;
  const indices = new Int32Array(length * 2);
  const weights = new Int32Array(length * 2);
  for (let i = 0; i < length; i++) {
    const d = axis.from + i;
    let at: number;
    let fraction: number;
    if (area) {
      at = Math.floor(d * scale);
      fraction = Math.fround(d + 1 - (at + 1) * inverse);
      fraction = fraction <= 0 ? 0 : Math.fround(fraction - Math.floor(fraction));
    } else {
      fraction = Math.fround((d + 0.5) * scale - 0.5);
      at = Math.floor(fraction);
      fraction = Math.fround(fraction - at);
    }
    // Only the horizontal pass of OpenCV drops the fraction at the border; the vertical one reads the row twice.
    if (clampWeights && (at < 0 || at >= source - 1)) fraction = 0;
    indices[2 * i] = clamp(at, source) * step;
    indices[2 * i + 1] = clamp(at + 1, source) * step;
    weights[2 * i] = fixed(1 - fraction);
    weights[2 * i + 1] = fixed(fraction);
  }
  return { taps: 2, indices, weights };
}

/** Four taps of the cubic with a = -0.75. */
export function cubicTaps(axis: Axis): FixedTaps {
  const { source, length, step } = axis;
  const scale = 1 / (axis.scaled / source);
  const indices = new Int32Array(length * 4);
  const weights = new Int32Array(length * 4);
  const a = -0.75;
  for (let i = 0; i < length; i++) {
    const position = Math.fround((axis.from + i + 0.5) * scale - 0.5);
    const at = Math.floor(position);
    const x = Math.fround(position - at);
    const c0 = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
    const c1 = ((a + 2) * x - (a + 3)) * x * x + 1;
    const c2 = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
    const row = [c0, c1, c2, 1 - c0 - c1 - c2];
    for (let k = 0; k < 4; k++) {
      indices[4 * i + k] = clamp(at - 1 + k, source) * step;
      weights[4 * i + k] = fixed(row[k]);
    }
  }
  return { taps: 4, indices, weights };
}

/** Weights in proportion to the part of each source pixel that a result covers; the axis shrinks or keeps its size. */
export function areaTaps(axis: Axis): AreaTaps {
  const { source, length, step } = axis;
  const scale = 1 / (axis.scaled / source);
  // As many bits as let the sum of a run of 255s stay within an int32.
  const unit = 2 ** Math.min(16, Math.floor(Math.log2(2 ** 31 / (255 * (scale + 2)))));
  const first = new Int32Array(length);
  const firstWeight = new Int32Array(length);
  const start = new Int32Array(length);
  const end = new Int32Array(length);
  const endWeight = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const from = (axis.from + i) * scale;
    const to = from + scale;
    const stop = Math.min(Math.floor(to), source - 1);
    const begin = Math.min(Math.ceil(from), stop);
    first[i] = Math.max(begin - 1, 0) * step;
    start[i] = begin * step;
    end[i] = stop * step;
    // Slivers below a thousandth are left out, as OpenCV does.
    firstWeight[i] = begin - from > 1e-3 ? Math.round((begin - from) * unit) : 0;
    endWeight[i] = to - stop > 1e-3 ? Math.round(Math.min(to - stop, 1, source - from) * unit) : 0;
  }
  return { scale, unit, first, firstWeight, start, end, endWeight };
}

/** Nearest integer of weight * 2^11, ties to even, as `saturate_cast<short>` gives it. */
function fixed(weight: number): number {
  const scaled = Math.fround(Math.fround(weight) * WEIGHT_ONE);
  const rounded = Math.round(scaled);
  return rounded - scaled === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function clamp(index: number, length: number): number {
  return index < 0 ? 0 : index >= length ? length - 1 : index;
}
