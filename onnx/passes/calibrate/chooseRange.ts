/** From a tensor's statistics to the ranges of both kinds of quantizer, by one method. */
import {
  entropyThreshold,
  type Histogram,
  leastErrorRange,
  leastErrorThreshold,
  percentileRange,
  type Range,
  seenThrough,
} from "../../kernels/clipRange.ts";
import type { CalibrationMethod, ClipRange } from "./table.ts";

/** Values of an 8-bit quantizer: 256 from lo to hi, 255 between -bound and bound. */
const ASYMMETRIC_LEVELS = 256;
const SYMMETRIC_LEVELS = 255;
/** Share of values that `percentile` leaves outside: what TensorRT's users and NNCF take, 99.99 %. */
const OUTSIDE = 1e-4;
/**
 * p of the Lp norm (Nahshan et al., "Loss aware post-training quantization", 2019). Squares let a few outliers decide
 * over all that is small; below 2 they count for less, and the network's outputs come out truer.
 */
const NORM = 1.5;

export interface RangeStatistics {
  readonly min: number;
  readonly max: number;
  readonly meanMin: number;
  readonly meanMax: number;
  readonly histogram: Histogram;
  readonly response: ((x: number) => number) | undefined;
}

export function chooseRange(method: CalibrationMethod, stats: RangeStatistics): ClipRange {
  const choice = choices[method](stats);
  // Nothing outside what was seen, and zero inside.
  const lo = Math.max(choice.lo, Math.min(0, stats.min));
  const hi = Math.min(choice.hi, Math.max(0, stats.max));
  return { lo, hi, bound: Math.min(choice.bound, Math.max(Math.abs(stats.min), Math.abs(stats.max))) };
}

const choices: Record<CalibrationMethod, (stats: RangeStatistics) => ClipRange> = {
  minmax: ({ min, max }) => withBound({ lo: min, hi: max }),
  "moving-average": ({ meanMin, meanMax }) => withBound({ lo: meanMin, hi: meanMax }),
  percentile: ({ histogram }) => withBound(percentileRange(histogram, OUTSIDE)),
  entropy({ min, histogram }) {
    const bound = entropyThreshold(histogram, 128);
    const oneSided = min >= 0 ? entropyThreshold(histogram, ASYMMETRIC_LEVELS) : bound;
    return { lo: -bound, hi: oneSided, bound };
  },
  mse: (stats) => leastError(stats, 2),
  "lp-norm": (stats) => leastError(stats, NORM),
};

/** The error is that behind the function which reads the tensor, where one function alone does. */
function leastError({ histogram, response }: RangeStatistics, power: number): ClipRange {
  const seen = seenThrough(histogram, response ?? ((x) => x), power);
  return { ...leastErrorRange(seen, ASYMMETRIC_LEVELS), bound: leastErrorThreshold(seen, SYMMETRIC_LEVELS) };
}

function withBound({ lo, hi }: Range): ClipRange {
  return { lo, hi, bound: Math.max(Math.abs(lo), Math.abs(hi)) };
}
