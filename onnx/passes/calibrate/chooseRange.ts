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
import type { CalibrationMethod } from "./table.ts";

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

export interface ChosenRange extends Range {
  readonly bound: number;
}

export function chooseRange(method: CalibrationMethod, stats: RangeStatistics): ChosenRange {
  const choice = choices[method](stats);
  // Nothing outside what was seen, and zero inside.
  const lo = Math.max(choice.lo, Math.min(0, stats.min));
  const hi = Math.min(choice.hi, Math.max(0, stats.max));
  return { lo, hi, bound: Math.min(choice.bound, Math.max(Math.abs(stats.min), Math.abs(stats.max))) };
}

const choices: Record<CalibrationMethod, (stats: RangeStatistics) => ChosenRange> = {
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

/**
 * The least error, but no wider than the extremes of the mean image: where one image in many reaches further, squares
 * would let that image alone decide, and detections agree worse with the float model's.
 */
function leastError({ histogram, response, meanMin, meanMax }: RangeStatistics, power: number): ChosenRange {
  const seen = seenThrough(histogram, response ?? ((x) => x), power);
  const range = leastErrorRange(seen, ASYMMETRIC_LEVELS);
  return {
    lo: Math.max(range.lo, Math.min(0, meanMin)),
    hi: Math.min(range.hi, Math.max(0, meanMax)),
    bound: Math.min(leastErrorThreshold(seen, SYMMETRIC_LEVELS), Math.max(Math.abs(meanMin), Math.abs(meanMax))),
  };
}

function withBound({ lo, hi }: Range): ChosenRange {
  return { lo, hi, bound: Math.max(Math.abs(lo), Math.abs(hi)) };
}
