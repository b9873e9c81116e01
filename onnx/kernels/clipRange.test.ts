import { describe, expect, it } from "vitest";
import { AdaptiveHistogram } from "./adaptiveHistogram.ts";
import { entropyThreshold, leastErrorRange, leastErrorThreshold, percentileRange, seenThrough } from "./clipRange.ts";

/** Normal numbers from a fixed seed (Box-Muller over a linear congruential generator). */
function normal(count: number, scale = 1): Float32Array {
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    { length: count },
    () => scale * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

function histogramOf(data: Float32Array) {
  const histogram = new AdaptiveHistogram();
  let [min, max] = [0, 0];
  for (const x of data) [min, max] = [Math.min(min, x), Math.max(max, x)];
  histogram.include(min, max);
  histogram.add(data);
  return histogram.compact(2048);
}

/** Mean squared error of f(q(x)) against f(x), computed on the data itself. */
function trueError(data: Float32Array, { lo, hi }: { lo: number; hi: number }, f: (x: number) => number): number {
  const scale = (hi - lo) / 255;
  const zero = Math.round(-lo / scale);
  let sum = 0;
  for (const x of data) {
    const q = Math.min(255, Math.max(0, Math.round(x / scale) + zero));
    sum += (f((q - zero) * scale) - f(x)) ** 2;
  }
  return sum / data.length;
}

const silu = (x: number) => x / (1 + Math.exp(-x));
const same = (x: number) => x;
const spiked = normal(20_000);
spiked[0] = 60;

describe("clipRange", () => {
  it("percentile cuts a lone spike and keeps the rest", () => {
    const range = percentileRange(histogramOf(spiked), 1e-3);
    expect(range.hi).toBeLessThan(6);
    expect(range.lo).toBeLessThan(-2.5);
  });

  it("entropy clips a spike, and takes the whole of a uniform tensor", () => {
    expect(entropyThreshold(histogramOf(spiked), 128)).toBeLessThan(20);
    const uniform = Float32Array.from({ length: 20_000 }, (_, i) => i / 20_000);
    expect(entropyThreshold(histogramOf(uniform), 128)).toBeGreaterThan(0.95);
  });

  it("the least-error range beats min-max and its neighbours on the data itself", () => {
    const data = normal(200_000).map((x) => x ** 3);
    const range = leastErrorRange(seenThrough(histogramOf(data), same, 2), 256);
    const error = trueError(data, range, same);
    const [min, max] = data.reduce(([a, b], x) => [Math.min(a ?? x, x), Math.max(b ?? x, x)], [0, 0]);
    expect(error).toBeLessThan(0.9 * trueError(data, { lo: min ?? 0, hi: max ?? 0 }, same));
    for (const factor of [0.6, 1.6]) {
      expect(error).toBeLessThan(trueError(data, { lo: range.lo * factor, hi: range.hi * factor }, same));
    }
  });

  it("cuts off what SiLU flattens, and errs less behind it than a range that does not know", () => {
    const wide = normal(20_000, 8);
    const histogram = histogramOf(wide);
    const aware = leastErrorRange(seenThrough(histogram, silu, 2), 256);
    const plain = leastErrorRange(seenThrough(histogram, same, 2), 256);
    expect(aware.lo).toBeGreaterThan(plain.lo / 2);
    expect(trueError(wide, aware, silu)).toBeLessThan(0.6 * trueError(wide, plain, silu));
  });

  it("a symmetric bound covers both tails of a one-sided tensor's range", () => {
    const positive = spiked.map((x) => Math.abs(x));
    const bound = leastErrorThreshold(seenThrough(histogramOf(positive), same, 2), 255);
    expect(bound).toBeGreaterThan(2);
    expect(bound).toBeLessThan(61);
  });
});
