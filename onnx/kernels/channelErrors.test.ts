import { describe, expect, it } from "vitest";
import { addChannelErrors, channelAxis, channelVariation, relativeError } from "./channelErrors.ts";
import { addVariation, newVariation } from "./variation.ts";

describe("channelErrors", () => {
  it("finds what tells an output's numbers apart", () => {
    expect([[1, 85, 22, 22], [1, 3549, 85], [1, 84, 8400], [1, 4420, 4], [1, 1000], [7]].map(channelAxis)).toEqual([
      1, 2, 1, 2, 1, 0,
    ]);
  });

  it("lets large numbers not hide small ones", () => {
    // Six anchors of [box, box, score, score].
    const dims = [1, 6, 4];
    const items = [
      [100, 200, 0.1, 0.9, 120, 180, 0.2, 0.8],
      [300, 100, 0.7, 0.1, 320, 380, 0.6, 0.2],
    ].map((x) => Float32Array.from([...x, ...x, ...x]));
    const moments = newVariation(24);
    for (const item of items) addVariation(moments, item);
    const variation = channelVariation(moments, dims);
    const off = (change: (x: number, channel: number) => number) => {
      const errors = new Float64Array(4);
      for (const item of items)
        addChannelErrors(
          item,
          item.map((x, i) => change(x, i % 4)),
          dims,
          errors,
        );
      return relativeError(errors, variation);
    };
    expect(off((x) => x)).toBe(0);
    // Scores that say nothing: their share of all amplitudes, not of all energies.
    const scores = off((x, c) => (c < 2 ? x : 0.4));
    const boxes = off((x, c) => (c < 2 ? 210 : x));
    expect(scores / boxes).toBeGreaterThan(1e-3);
    expect(scores / boxes).toBeLessThan(1e-2);
  });

  it("leaves out what never varies", () => {
    expect(relativeError(Float64Array.from([1, 2]), Float64Array.from([0, 4]))).toBe(0.5);
    expect(relativeError(Float64Array.from([0, 2]), new Float64Array(2))).toBe(0);
  });
});
