import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accumulate, cholesky, choleskySolve, newNormalEquations, ridgeSolve } from "./leastSquares.ts";

/** Column-major [columns, rows] of values in -1..1. */
function columns(count: number, rows: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count * rows }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** b = A w, column-major. */
function product(a: Float32Array, w: readonly (readonly number[])[], rows: number): Float32Array {
  const targets = w[0]?.length ?? 0;
  const b = new Float32Array(targets * rows);
  for (const [i, row] of w.entries())
    for (const [t, weight] of row.entries()) for (let r = 0; r < rows; r++) b[t * rows + r] += a[i * rows + r] * weight;
  return b;
}

describe("cholesky", () => {
  it("factors and solves a known system", () => {
    // A = L L' with L = [2 0 0; 6 1 0; -8 5 3] (the textbook example), b = A [1 2 3]'
    const matrix = Float64Array.from([4, 12, -16, 12, 37, -43, -16, -43, 98]);
    const l = cholesky(matrix, 3);
    expect(l).toEqual(Float64Array.from([2, 0, 0, 6, 1, 0, -8, 5, 3]));
    const b = Float64Array.from([4 + 24 - 48, 12 + 74 - 129, -16 - 86 + 294]);
    if (l) choleskySolve(l, 3, b, 1);
    for (const [i, x] of b.entries()) expect(x).toBeCloseTo(i + 1, 10);
  });

  it("says where a matrix is not positive definite", () => {
    expect(cholesky(Float64Array.from([1, 2, 2, 1]), 2)).toBeUndefined();
    expect(cholesky(Float64Array.from([Number.NaN]), 1)).toBeUndefined();
  });
});

describe("ridge least squares", () => {
  it("finds the weights that made the targets, in any number of batches", () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }), (seed, n, m) => {
        const w = Array.from({ length: n }, (_, i) => Array.from({ length: m }, (_, t) => (i + 1) * (t - 1.5)));
        const equations = newNormalEquations(n, m);
        for (const rows of [300, 5, 64]) {
          const a = columns(n, rows, seed + rows);
          accumulate(equations, a, product(a, w, rows), rows);
        }
        expect(equations.rows).toBe(369);
        const solution = ridgeSolve(equations, new Float64Array(n * m), 1e-9);
        for (const [i, row] of w.entries())
          for (const [t, weight] of row.entries()) expect(solution?.weights[i * m + t]).toBeCloseTo(weight, 4);
        expect(solution?.after).toBeCloseTo(0, 4);
      }),
      { numRuns: 50 },
    );
  });

  it("stays at the prior where the data say nothing", () => {
    // Two regressors that are always equal: only their sum is known, and the prior splits it.
    const a = columns(1, 100, 7);
    const equations = newNormalEquations(2, 1);
    accumulate(equations, Float32Array.from([...a, ...a]), product(a, [[4]], 100), 100);
    const solution = ridgeSolve(equations, Float64Array.from([3, 0]), 1e-6);
    expect(solution?.weights[0]).toBeCloseTo(3.5, 3);
    expect(solution?.weights[1]).toBeCloseTo(0.5, 3);
  });

  it("gives up on data that are all zero or not finite", () => {
    const empty = newNormalEquations(2, 1);
    expect(ridgeSolve(empty, new Float64Array(2), 1e-3)).toBeUndefined();
    const broken = newNormalEquations(1, 1);
    accumulate(broken, Float32Array.from([Number.NaN]), Float32Array.from([1]), 1);
    expect(ridgeSolve(broken, new Float64Array(1), 1e-3)).toBeUndefined();
  });
});
