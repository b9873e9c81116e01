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
import { asymmetricGrid, GridError, refineRange, symmetricGrid } from "../../kernels/gridError.ts";
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
  /** The function that alone reads the tensor, behind which errors are judged. */
  readonly response: ElementFunction | undefined;
}

type ElementFunction = (x: number) => number;

/** Chooses ranges for one tensor, by any method. */
export class RangeChooser {
  readonly #response: ElementFunction;
  #grid: GridError | undefined;

  constructor(private readonly stats: RangeStatistics) {
    this.#response = finiteOn(stats) ?? ((x) => x);
  }

  by(method: CalibrationMethod): ClipRange {
    const { min, max, histogram } = this.stats;
    // Zero on every image: there is nothing to choose.
    if (!(histogram.width > 0)) return { lo: 0, hi: 0, bound: 0 };
    const choice = this.#choice(method);
    // Nothing outside what was seen, and zero inside.
    const lo = Math.max(choice.lo, Math.min(0, min));
    const hi = Math.min(choice.hi, Math.max(0, max));
    return { lo, hi, bound: Math.min(choice.bound, Math.max(Math.abs(min), Math.abs(max))) };
  }

  /**
   * What a range keeps of the tensor, as the function behind it sees it: 10 log10 of signal over error, dB, by the
   * quantizer with a zero point and by the one without. Undefined where nothing is lost, or nothing was there.
   */
  sqnrDb({ lo, hi, bound }: ClipRange): { asymmetric: number | undefined; symmetric: number | undefined } {
    const grid = this.#gridError();
    const signal = grid.signal();
    const db = (error: number) => (error > 0 && signal > 0 ? 10 * Math.log10(signal / error) : undefined);
    return {
      asymmetric: hi > lo ? db(grid.of(asymmetricGrid(lo, hi), 2)) : undefined,
      symmetric: bound > 0 ? db(grid.of(symmetricGrid(bound), 2)) : undefined,
    };
  }

  #choice(method: CalibrationMethod): ClipRange {
    const { min, max, meanMin, meanMax, histogram } = this.stats;
    switch (method) {
      case "minmax":
        return withBound({ lo: min, hi: max });
      case "moving-average":
        return withBound({ lo: meanMin, hi: meanMax });
      case "percentile":
        return withBound(percentileRange(histogram, OUTSIDE));
      case "entropy": {
        const bound = entropyThreshold(histogram, 128);
        const oneSided = min >= 0 ? entropyThreshold(histogram, ASYMMETRIC_LEVELS) : bound;
        return { lo: -bound, hi: oneSided, bound };
      }
      case "mse":
        return this.#leastError(2);
      case "lp-norm":
        return this.#leastError(NORM);
    }
  }

  /** A guess by rounding as even noise, which is quick, then the truth around it. */
  #leastError(power: typeof NORM | 2): ClipRange {
    const { min, max, histogram } = this.stats;
    const seen = seenThrough(histogram, this.#response, power);
    const guess = { ...leastErrorRange(seen, ASYMMETRIC_LEVELS), bound: leastErrorThreshold(seen, SYMMETRIC_LEVELS) };
    const grid = this.#gridError();
    const limits = { min: Math.min(0, min), max: Math.max(0, max) };
    const range = refineRange((lo, hi) => grid.of(asymmetricGrid(lo, hi), power), guess, limits);
    const symmetric = { lo: 0, hi: guess.bound };
    const most = { min: 0, max: Math.max(-limits.min, limits.max) };
    return { ...range, bound: refineRange((_, bound) => grid.of(symmetricGrid(bound), power), symmetric, most).hi };
  }

  #gridError(): GridError {
    this.#grid ??= new GridError(this.stats.histogram, this.#response);
    return this.#grid;
  }
}

/** The response, where it is finite wherever values were seen (the square root of less than nothing is not). */
function finiteOn({ histogram, response }: RangeStatistics): ElementFunction | undefined {
  const { low, width, counts } = histogram;
  for (let i = 0; response && i <= counts.length; i++) {
    if (!Number.isFinite(response(low + i * width))) return undefined;
  }
  return response;
}

function withBound({ lo, hi }: Range): ClipRange {
  return { lo, hi, bound: Math.max(Math.abs(lo), Math.abs(hi)) };
}
