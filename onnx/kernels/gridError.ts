/**
 * What a quantizer truly does to a tensor: every value of its histogram sent through the quantizer's own grid, and both
 * through the function behind it. A model of rounding as noise that spreads evenly over a step misses where values crowd
 * together on a few steps, as behind SiLU, whose least value -0.28 takes half of them.
 */
import type { Histogram } from "./clipRange.ts";

/** A quantizer: integers from `least` to `most`, of which `zeroPoint` stands for zero. */
export interface Grid {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly least: number;
  readonly most: number;
}

/** 256 values from lo to hi, zero among them. */
export function asymmetricGrid(lo: number, hi: number): Grid {
  const scale = (hi - lo) / 255;
  return { scale, zeroPoint: Math.round(-lo / scale), least: 0, most: 255 };
}

/** 255 values from -bound to bound. */
export function symmetricGrid(bound: number): Grid {
  return { scale: bound / 127, zeroPoint: 0, least: -127, most: 127 };
}

/** Places in a bin where a value may lie. */
const PLACES = 4;

export class GridError {
  readonly #x: Float64Array;
  readonly #seen: Float64Array;
  readonly #weights: Float64Array;
  readonly #levels = new Float64Array(256);
  readonly #total: number;

  constructor(
    { low, width, counts }: Histogram,
    private readonly response: (x: number) => number,
  ) {
    const used: number[] = [];
    let total = 0;
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] === 0) continue;
      used.push(i);
      total += counts[i];
    }
    this.#x = new Float64Array(used.length * PLACES);
    this.#seen = new Float64Array(used.length * PLACES);
    this.#weights = new Float64Array(used.length);
    for (let k = 0; k < used.length; k++) {
      this.#weights[k] = counts[used[k]] / PLACES;
      for (let j = 0; j < PLACES; j++) {
        const x = low + (used[k] + (j + 0.5) / PLACES) * width;
        this.#x[k * PLACES + j] = x;
        this.#seen[k * PLACES + j] = response(x);
      }
    }
    this.#total = total;
  }

  /** Mean |f(q(x)) - f(x)|^power, power 2 or 1.5; 0 where nothing was counted. */
  of({ scale, zeroPoint, least, most }: Grid, power: 2 | 1.5): number {
    if (this.#total === 0) return 0;
    const [x, seen, weights, levels] = [this.#x, this.#seen, this.#weights, this.#levels];
    for (let q = least; q <= most; q++) levels[q - least] = this.response((q - zeroPoint) * scale);
    const [inverse, top] = [1 / scale, most - least];
    const offset = zeroPoint - least + 0.5;
    let sum = 0;
    for (let k = 0, i = 0; k < weights.length; k++) {
      let bin = 0;
      for (let j = 0; j < PLACES; j++, i++) {
        const q = Math.floor(x[i] * inverse + offset);
        const error = Math.abs(seen[i] - levels[q < 0 ? 0 : Math.min(q, top)]);
        bin += power === 2 ? error * error : error * Math.sqrt(error);
      }
      sum += bin * weights[k];
    }
    return sum / this.#total;
  }

  /** Mean f(x)^2. */
  signal(): number {
    let sum = 0;
    for (let i = 0; i < this.#seen.length; i++) sum += this.#seen[i] ** 2 * this.#weights[Math.floor(i / PLACES)];
    return this.#total === 0 ? 0 : sum / this.#total;
  }
}

/** Shares by which an end is moved, coarse to fine. */
const STEPS = [0.1, 0.03, 0.01];
const GAIN = 0.999;

/** From a first guess to the range with the least error nearby, within [min, max]. */
export function refineRange(
  error: (lo: number, hi: number) => number,
  from: { readonly lo: number; readonly hi: number },
  { min, max }: { readonly min: number; readonly max: number },
): { lo: number; hi: number } {
  let best = { ...from, error: error(from.lo, from.hi) };
  const attempt = (lo: number, hi: number) => {
    [lo, hi] = [Math.max(lo, min), Math.min(hi, max)];
    if (!(hi > lo) || (lo === best.lo && hi === best.hi)) return false;
    const found = { lo, hi, error: error(lo, hi) };
    if (found.error >= best.error * GAIN) return false;
    best = found;
    return true;
  };
  attempt(min, best.hi);
  attempt(best.lo, max);
  for (const step of STEPS) {
    for (const factor of [1 - step, 1 + step]) {
      while (attempt(best.lo * factor, best.hi));
      while (attempt(best.lo, best.hi * factor));
    }
  }
  return { lo: best.lo, hi: best.hi };
}
