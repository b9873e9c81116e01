import fc from "fast-check";
import { expect, it } from "vitest";
import { movedByOffsets, withOffsets, zeroPointBlocks } from "./halfQuadratic.ts";
import { blockError, quantizeBlocks } from "./quantizeWeights.ts";

const form = { columns: 40, block: 16, bits: 4, signed: true } as const;

function noiseOf(matrix: Float32Array, blocks: { integers: Int8Array; scales: Float32Array }): number {
  return blockError(matrix, { ...blocks, ...form, perRow: 3 }).noise;
}

function weights(seed: number, skew: number): Float32Array {
  const noise = (i: number) => (Math.sin(seed * 12.9898 + i * 78.233) * 43758.5453) % 0.5;
  return Float32Array.from({ length: 5 * form.columns }, (_, i) => noise(i) + skew);
}

it("loses no more than a grid around zero, in numbers that 4 bits hold", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: -1, max: 1, noNaN: true }), (seed, skew) => {
      const matrix = weights(seed, skew);
      const symmetric = quantizeBlocks(matrix, form);
      const zeroed = zeroPointBlocks(matrix, form, symmetric);
      expect(noiseOf(matrix, zeroed)).toBeLessThanOrEqual(noiseOf(matrix, symmetric) * (1 + 1e-6));
      for (const q of withOffsets(zeroed.integers, { ...form, offsets: zeroed.offsets }))
        expect(q >= -8 && q <= 7).toBe(true);
    }),
    { numRuns: 50 },
  );
});

it("halves the error of weights that lie on one side of zero", () => {
  const matrix = weights(1, 0.5);
  const symmetric = quantizeBlocks(matrix, form);
  expect(noiseOf(matrix, zeroPointBlocks(matrix, form, symmetric))).toBeLessThan(noiseOf(matrix, symmetric) / 2);
});

it("does not depend on the unit of the weights", () => {
  const matrix = weights(2, 0.3);
  const small = matrix.map((w) => w * 2 ** -12);
  const [a, b] = [matrix, small].map((m) => zeroPointBlocks(m, form, quantizeBlocks(m, form)));
  expect(b?.integers).toEqual(a?.integers);
  expect(b?.offsets).toEqual(a?.offsets);
});

it("leaves zeros and constants as they are", () => {
  const matrix = new Float32Array(5 * form.columns);
  matrix.fill(0.25, 0, form.columns);
  const zeroed = zeroPointBlocks(matrix, form, quantizeBlocks(matrix, form));
  expect(noiseOf(matrix, zeroed)).toBeLessThan(1e-9);
});

it("moves weights so that a grid around zero rounds them to the same", () => {
  const matrix = weights(3, 0.4);
  const zeroed = zeroPointBlocks(matrix, form, quantizeBlocks(matrix, form));
  const moved = movedByOffsets(matrix, { ...form, ...zeroed });
  const shifted = withOffsets(zeroed.integers, { ...form, offsets: zeroed.offsets });
  for (const [i, w] of matrix.entries()) {
    const scale = zeroed.scales[Math.floor(i / 40) * 3 + Math.floor((i % 40) / 16)] ?? 0;
    expect((moved[i] ?? 0) - (shifted[i] ?? 0) * scale).toBeCloseTo(w - (zeroed.integers[i] ?? 0) * scale, 5);
  }
});
