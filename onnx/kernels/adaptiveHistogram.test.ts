import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AdaptiveHistogram } from "./adaptiveHistogram.ts";

const values = fc.array(fc.float({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 });

describe("AdaptiveHistogram", () => {
  it("counts every value once, in a bin that covers it, however the range grew", () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 6 }), (batches) => {
        const histogram = new AdaptiveHistogram(64);
        const seen: number[] = [];
        for (const batch of batches.map((batch) => Float32Array.from(batch))) {
          histogram.include(Math.min(...batch), Math.max(...batch));
          if (histogram.width > 0) seen.push(...batch);
          histogram.add(batch);
        }
        const { low, width, counts } = histogram.compact(64);
        expect(counts.reduce((a, b) => a + b, 0)).toBe(seen.length);
        for (let i = 0; i < counts.length; i++) {
          const [from, to] = [low + i * width, low + (i + 1) * width];
          const slack = Math.abs(from) * 1e-6 + width * 1e-3;
          const most = seen.filter((x) => x >= from - slack && x < to + slack).length;
          const least = seen.filter((x) => x >= from + slack && x < to - slack).length;
          expect(counts[i]).toBeGreaterThanOrEqual(least);
          expect(counts[i]).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it("keeps half of its bins on the range once it has grown, and zero on an edge", () => {
    const histogram = new AdaptiveHistogram(256);
    for (const most of [1e-3, 1, 37, 4000]) {
      histogram.include(-most, most / 2);
      histogram.add(Float32Array.of(-most, most / 2));
    }
    expect((1.5 * 4000) / histogram.width).toBeGreaterThanOrEqual(127);
    expect((1.5 * 4000) / histogram.width).toBeLessThanOrEqual(256);
    const { low, width } = histogram.compact(256);
    expect(Number.isInteger(low / width)).toBe(true);
  });

  it("merges neighbours when it compacts", () => {
    const histogram = new AdaptiveHistogram(64);
    histogram.include(0, 63);
    histogram.add(Float32Array.from({ length: 64 }, (_, i) => i));
    const { counts, width } = histogram.compact(16);
    expect(counts.length).toBeLessThanOrEqual(16);
    expect(counts.reduce((a, b) => a + b, 0)).toBe(64);
    expect(width).toBeGreaterThan(histogram.width);
  });
});
