import { describe, expect, it } from "vitest";
import { sharesOfSpread } from "./sharesOfSpread.ts";

const row = (...numbers: number[]) => Float32Array.from(numbers);

describe("sharesOfSpread", () => {
  it("gives each its part of the squared distances from the mean", () => {
    // The mean is [1, 0]; distances 1, 1, 4.
    const shares = sharesOfSpread([row(0, 0), row(2, 0), row(1, 2), row(1, -2)]);
    expect([...shares]).toEqual([0.1, 0.1, 0.4, 0.4]);
  });

  it("says nothing where sizes differ, or nothing differs", () => {
    expect([...sharesOfSpread([row(1), row(1, 2)])]).toEqual([0, 0]);
    expect([...sharesOfSpread([row(3, 1), row(3, 1)])]).toEqual([0, 0]);
    expect([...sharesOfSpread([])]).toEqual([]);
  });
});
