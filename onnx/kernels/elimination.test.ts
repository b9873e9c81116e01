import { describe, expect, it } from "vitest";
import { copyReader, newLinearReader, removalLoss, removeChannels } from "./elimination.ts";

/** Second moments of three channels of which the third is the sum of the first two. */
const MOMENTS = Float64Array.of(1, 0, 1, 0, 1, 1, 1, 1, 2);
const WEIGHTS = Float64Array.of(1, 0, 0, 2, 3, 3);

describe("elimination", () => {
  it("loses nothing of a channel that others can stand in for, and gives them its weight", () => {
    const reader = newLinearReader(WEIGHTS.slice(), MOMENTS, 1e-9);
    expect(removalLoss(reader, [2])).toBeCloseTo(0, 5);
    removeChannels(reader, [2]);
    for (const [i, w] of [4, 3, 3, 5, 0, 0].entries()) expect(reader.weights[i]).toBeCloseTo(w, 5);
    // Now the first two are on their own: |w|^2 times the second moment.
    expect(removalLoss(reader, [0])).toBeCloseTo(25, 4);
  });

  it("takes several at the price of one after the other", () => {
    const reader = newLinearReader(WEIGHTS.slice(), MOMENTS, 0.1);
    const together = removalLoss(reader, [0, 2]);
    const copy = copyReader(reader);
    const first = removalLoss(copy, [0]);
    removeChannels(copy, [0]);
    expect(first + removalLoss(copy, [2])).toBeCloseTo(together, 9);
    expect(removalLoss(reader, [0, 2])).toBe(together);
  });

  it("leaves the rest alone where nothing is refitted", () => {
    const reader = newLinearReader(WEIGHTS.slice(), MOMENTS, undefined);
    expect(removalLoss(reader, [2])).toBeCloseTo(2 * 18, 9);
    removeChannels(reader, [2]);
    expect([...reader.weights]).toEqual([1, 0, 0, 2, 0, 0]);
    expect(reader.energy).toBeCloseTo(25 + 34, 9);
  });
});
