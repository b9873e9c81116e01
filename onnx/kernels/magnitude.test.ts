import { describe, expect, it } from "vitest";
import { addMagnitudes, newMagnitudeHistogram, rootMeanSquare, thresholdFor, zeroBelow } from "./magnitude.ts";

describe("magnitude thresholds", () => {
  it("zeroes the asked share over tensors of very different scale", () => {
    const tensors = [1e-3, 1, 1e4].map((scale) =>
      Float32Array.from({ length: 5000 }, (_, i) => scale * Math.sin(i * 12.9898) * ((i % 97) + 1)),
    );
    const histogram = newMagnitudeHistogram();
    for (const data of tensors) addMagnitudes(histogram, data, rootMeanSquare(data));
    const threshold = thresholdFor(histogram, 0.3);
    for (const data of tensors)
      expect(zeroBelow(data, threshold * rootMeanSquare(data)) / data.length).toBeCloseTo(0.3, 2);
  });

  it("zeroes nothing for a share of nothing", () => {
    const data = Float32Array.from([1, -2, 3]);
    const histogram = newMagnitudeHistogram();
    addMagnitudes(histogram, data, rootMeanSquare(data));
    expect(zeroBelow(data, thresholdFor(histogram, 0) * rootMeanSquare(data))).toBe(0);
  });
});
