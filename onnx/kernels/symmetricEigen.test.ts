import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { symmetricEigen } from "./symmetricEigen.ts";

describe("symmetricEigen", () => {
  it("solves a known matrix", () => {
    const { values, vectors } = symmetricEigen(Float64Array.from([2, 1, 1, 2]), 2) ?? {};
    expect(values?.[0]).toBeCloseTo(3, 12);
    expect(values?.[1]).toBeCloseTo(1, 12);
    expect(Math.abs(vectors?.[0] ?? 0)).toBeCloseTo(Math.SQRT1_2, 12);
  });

  it("gives orthonormal vectors with A v = value v, in descending order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), fc.nat(1000), fc.boolean(), (n, seed, deficient) => {
        let state = seed + 1;
        const noise = () => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          return state / 2 ** 31 - 1;
        };
        const rank = deficient ? Math.ceil(n / 2) : n;
        const b = Float64Array.from({ length: n * rank }, noise);
        const a = new Float64Array(n * n);
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) for (let k = 0; k < rank; k++) a[i * n + j] += b[i * rank + k] * b[j * rank + k];
        const eigen = symmetricEigen(a, n);
        if (!eigen) throw new Error("did not converge");
        const { values, vectors } = eigen;
        for (let k = 0; k < n; k++) {
          if (k > 0) expect(values[k]).toBeLessThanOrEqual(values[k - 1]);
          for (let i = 0; i < n; i++) {
            let product = 0;
            for (let j = 0; j < n; j++) product += a[i * n + j] * vectors[j * n + k];
            expect(product).toBeCloseTo(values[k] * vectors[i * n + k], 8);
          }
          for (let other = 0; other <= k; other++) {
            let dot = 0;
            for (let i = 0; i < n; i++) dot += vectors[i * n + k] * vectors[i * n + other];
            expect(dot).toBeCloseTo(k === other ? 1 : 0, 8);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("gives up on what is not finite", () => {
    expect(symmetricEigen(Float64Array.from([Number.NaN, 0, 0, 1]), 2)).toBeUndefined();
  });
});
