import { describe, expect, it } from "vitest";
import { factorize, multiply } from "./lowRank.ts";

function noise(count: number, seed: number): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** tr((W - V)' C (W - V)): what the output loses. */
function lost(w: Float64Array, v: Float64Array, c: Float64Array, n: number): number {
  const d = w.map((x, i) => x - v[i]);
  const cd = multiply(c, d, n);
  return d.reduce((sum, x, i) => sum + x * cd[i], 0);
}

describe("factorize", () => {
  it.each([
    [9, 6],
    [6, 9],
  ])("loses exactly the energies it names, %i inputs and %i outputs", (n, m) => {
    const samples = noise(n * 40, 3);
    const moments = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        for (let r = 0; r < 40; r++)
          moments[i * n + j] += samples[i * 40 + r] * samples[j * 40 + r] * (1 + (i % 3)) * (1 + (j % 3));
    const weights = noise(n * m, 5);
    const factors = factorize(weights, moments, n);
    if (!factors) throw new Error("did not factorize");
    for (const rank of [1, 3, 6]) {
      const { first, second } = factors.parts(rank);
      expect([first.length, second.length]).toEqual([n * rank, rank * m]);
      const tail = factors.energies.subarray(rank).reduce((a, b) => a + b, 0);
      expect(lost(weights, multiply(first, second, rank), moments, n) / factors.energies[0]).toBeCloseTo(
        tail / factors.energies[0],
        4,
      );
    }
  });

  it("finds a low rank that is there, where the inputs vary", () => {
    const weights = multiply(noise(8 * 2, 1), noise(2 * 5, 2), 2);
    const moments = new Float64Array(64);
    for (let i = 0; i < 8; i++) moments[i * 8 + i] = i;
    const factors = factorize(weights, moments, 8);
    expect((factors?.energies[2] ?? 1) / (factors?.energies[0] ?? 1)).toBeLessThan(1e-9);
  });
});
