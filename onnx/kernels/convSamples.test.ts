import { describe, expect, it } from "vitest";
import { gatherInputs, gatherOutputs, samplePositions } from "./convSamples.ts";

describe("samplePositions", () => {
  it("takes all where there are few, else different ones in order", () => {
    expect([...samplePositions(3, 10, 1)]).toEqual([0, 1, 2]);
    const some = samplePositions(1000, 50, 1);
    expect(new Set(some).size).toBe(50);
    expect([...some]).toEqual([...some].sort((a, b) => a - b));
    expect(some.every((at) => at >= 0 && at < 1000)).toBe(true);
    expect(samplePositions(1000, 50, 1)).toEqual(some);
    expect(samplePositions(1000, 50, 2)).not.toEqual(some);
  });
});

describe("gathering rows of a convolution", () => {
  // Two channels of 3x3: 0..8 and 10..18.
  const x = {
    data: Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18]),
    dims: [1, 2, 3, 3],
  };

  it("sees the window of each position, zeros in the padding, and a one for the bias", () => {
    const geometry = { kernel: [2, 2], strides: [1, 1], dilations: [2, 2], pads: [1, 1] } as const;
    const at = { positions: Int32Array.from([0, 4]), outHeight: 3, outWidth: 3 };
    const columns = gatherInputs(x, { from: 1, count: 1 }, at, geometry);
    // Output (0, 0) reads (-1|1, -1|1): only (1, 1) lies inside. Output (1, 1) reads (0|2, 0|2).
    expect([...columns]).toEqual([0, 10, 0, 12, 0, 16, 14, 18, 1, 1]);
  });

  it("takes the output's channels that are asked for", () => {
    expect([...gatherOutputs(x, [1], Int32Array.from([2, 8]))]).toEqual([12, 18]);
  });
});
