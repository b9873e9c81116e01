import { describe, expect, it } from "vitest";
import { AdaptiveHistogram } from "./adaptiveHistogram.ts";
import { asymmetricGrid, type Grid, GridError, refineRange, symmetricGrid } from "./gridError.ts";

const silu = (x: number) => x / (1 + Math.exp(-x));

/** Values that crowd at their least, as behind SiLU, from a seed. */
function crowded(count: number): Float32Array {
  let state = 7;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return silu(((state / 2 ** 32) ** 3 * 2 - 0.6) * 8);
  });
}

function histogramOf(data: Float32Array) {
  const histogram = new AdaptiveHistogram();
  histogram.include(Math.min(...data), Math.max(...data));
  histogram.add(data);
  return histogram.compact(1024);
}

function trueError(data: Float32Array, { scale, zeroPoint, least, most }: Grid, f: (x: number) => number): number {
  let sum = 0;
  for (const x of data) {
    const q = Math.min(most, Math.max(least, Math.round(x / scale) + zeroPoint));
    sum += (f((q - zeroPoint) * scale) - f(x)) ** 2;
  }
  return sum / data.length;
}

describe("GridError", () => {
  const data = crowded(20_000);
  const histogram = histogramOf(data);

  it.each<[string, Grid, (x: number) => number]>([
    ["asymmetric", asymmetricGrid(-0.28, 6), (x) => x],
    ["asymmetric, clipping", asymmetricGrid(-0.25, 3), (x) => x],
    ["symmetric", symmetricGrid(5), (x) => x],
    ["behind a function", asymmetricGrid(-0.28, 9), silu],
  ])("is what quantizing the data itself costs: %s", (_, grid, f) => {
    const expected = trueError(data, grid, f);
    expect(Math.abs(new GridError(histogram, f).of(grid, 2) - expected)).toBeLessThan(0.1 * expected);
  });

  it("knows the signal, and nothing of what was never counted", () => {
    const signal = data.reduce((sum, x) => sum + x * x, 0) / data.length;
    expect(Math.abs(new GridError(histogram, (x) => x).signal() - signal)).toBeLessThan(1e-3 * signal);
    const empty = new GridError({ low: 0, width: 0, counts: [] }, (x) => x);
    expect([empty.signal(), empty.of(symmetricGrid(1), 2)]).toEqual([0, 0]);
  });

  it("refines a range to less error on the data, within what was seen", () => {
    const error = new GridError(histogram, (x) => x);
    const [min, max] = [Math.min(...data), Math.max(...data)];
    const guess = { lo: -0.2, hi: max * 0.6 };
    const found = refineRange((lo, hi) => error.of(asymmetricGrid(lo, hi), 2), guess, { min, max });
    expect(found.lo).toBeGreaterThanOrEqual(min);
    expect(found.hi).toBeLessThanOrEqual(max);
    const at = ({ lo, hi }: { lo: number; hi: number }) => trueError(data, asymmetricGrid(lo, hi), (x) => x);
    expect(at(found)).toBeLessThan(0.5 * at(guess));
    expect(at(found)).toBeLessThanOrEqual(1.02 * at({ lo: min, hi: max }));
  });
});
