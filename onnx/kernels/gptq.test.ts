import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hessianErrors, type RoundingGrid, roundByHessian } from "./gptq.ts";
import { accumulate, newNormalEquations } from "./leastSquares.ts";
import { quantizeBlocks } from "./quantizeWeights.ts";

/** Numbers in [-1, 1). */
function noise(length: number, seed: number): Float32Array {
  let state = (seed * 2654435761 + 1) >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** X'X of inputs of which neighbours are alike, as channels behind a nonlinearity are. */
function correlated(columns: number, samples: number, seed: number): Float64Array {
  const white = noise(columns * samples, seed);
  const x = white.map((v, i) => v + 2 * (white[i - samples] ?? 0) + 1);
  const eq = newNormalEquations(columns, 0);
  accumulate(eq, x, new Float32Array(), samples);
  return eq.gram;
}

function gridFor(weights: Float32Array, columns: number, block: number): { grid: RoundingGrid; nearest: Int8Array } {
  const { scales, integers } = quantizeBlocks(weights, { columns, block, bits: 4, signed: false });
  return { grid: { block, scales, least: -8, most: 7 }, nearest: integers };
}

const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);

describe("rounding by the Hessian", () => {
  it("beats the nearest integers wherever inputs are alike, by a third on the mean", () => {
    const ratios: number[] = [];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.constantFrom(4, 9, 16), (seed, block) => {
        const [rows, columns] = [6, 24];
        const weights = noise(rows * columns, seed);
        const hessian = correlated(columns, 256, seed + 1);
        const { grid, nearest } = gridFor(weights, columns, block);
        const rounded = roundByHessian(weights, hessian, grid);
        for (const q of rounded) expect(Math.abs(q + 0.5)).toBeLessThanOrEqual(7.5);
        const [ours, plain] = [rounded, nearest].map((q) => sum(hessianErrors(weights, q, hessian, grid)));
        expect(ours).toBeLessThan(plain ?? 0);
        ratios.push((ours ?? 0) / (plain ?? 1));
      }),
      { numRuns: 40, seed: 1 },
    );
    expect(ratios.reduce((a, b) => a + b) / ratios.length).toBeLessThan(0.7);
  });

  it("leaves no integer whose move by one alone would lower the error", () => {
    const [rows, columns] = [8, 10];
    const weights = noise(rows * columns, 5);
    const hessian = correlated(columns, 400, 6);
    const { grid } = gridFor(weights, columns, columns);
    const found = roundByHessian(weights, hessian, grid);
    // What the rounding minimises: H with its damping.
    const trace = Array.from({ length: columns }, (_, i) => hessian[i * columns + i] ?? 0).reduce((a, b) => a + b);
    const damped = hessian.map((h, i) => (i % (columns + 1) === 0 ? h + (0.01 * trace) / columns : h));
    const least = hessianErrors(weights, found, damped, grid);
    for (const [i, q] of found.entries()) {
      const row = Math.floor(i / columns);
      for (const moved of [q - 1, q + 1]) {
        if (moved < grid.least || moved > grid.most) continue;
        const errors = hessianErrors(weights, found.with(i, moved), damped, grid);
        expect(errors[row]).toBeGreaterThan((least[row] ?? 0) * (1 - 1e-9));
      }
    }
  });

  it("takes the nearest where inputs are not correlated, or nothing was seen", () => {
    const columns = 12;
    const weights = noise(5 * columns, 3);
    const { grid, nearest } = gridFor(weights, columns, 4);
    const diagonal = Float64Array.from({ length: columns ** 2 }, (_, i) => (i % (columns + 1) === 0 ? 1 + i : 0));
    for (const hessian of [diagonal, new Float64Array(columns ** 2), diagonal.map(() => Number.NaN)])
      expect(roundByHessian(weights, hessian, grid)).toEqual(nearest);
  });

  it("counts the error as the outputs do", () => {
    const [rows, columns, samples] = [2, 6, 50];
    const x = noise(columns * samples, 8);
    const eq = newNormalEquations(columns, 0);
    accumulate(eq, x, new Float32Array(), samples);
    const weights = noise(rows * columns, 9);
    const { grid, nearest } = gridFor(weights, columns, columns);
    const errors = hessianErrors(weights, nearest, eq.gram, grid);
    for (let r = 0; r < rows; r++) {
      let squared = 0;
      for (let s = 0; s < samples; s++) {
        let d = 0;
        for (let c = 0; c < columns; c++) {
          const at = r * columns + c;
          d += ((weights[at] ?? 0) - (nearest[at] ?? 0) * (grid.scales[r] ?? 0)) * (x[c * samples + s] ?? 0);
        }
        squared += d * d;
      }
      expect(errors[r]).toBeCloseTo(squared, 4);
    }
  });
});
