import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { choose, type Figures, frontOf } from "./front.ts";

const point = (speedup: number, sizeShare: number, sqnrDb: number | undefined, lossPercent = 0): Figures => ({
  ...{ speedup, sizeShare, sqnrDb, lossPercent },
  ms: 10 / speedup,
  lossError: 0,
});

describe("front", () => {
  it("holds what no other point beats, and every point is beaten by one of it or on it", () => {
    const figures = fc.record({
      speedup: fc.integer({ min: 1, max: 5 }),
      size: fc.integer({ min: 1, max: 3 }),
      db: fc.option(fc.integer({ min: 10, max: 14 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(figures, { minLength: 1, maxLength: 12 }), (all) => {
        const points = all.map(({ speedup, size, db }) => point(speedup, size, db));
        const front = frontOf(points);
        const least = (a: Figures, b: Figures) =>
          a.speedup >= b.speedup && a.sizeShare <= b.sizeShare && (a.sqnrDb ?? 99) >= (b.sqnrDb ?? 99);
        for (const p of points) expect(front.some((f) => least(f, p))).toBe(true);
        for (const f of front) {
          for (const p of points) if (least(p, f)) expect(least(f, p)).toBe(true);
        }
      }),
    );
  });

  it("takes the fastest within the loss; of equals in speed the smallest, then the truest", () => {
    const points = [point(1.5, 0.3, 15, 4), point(1.3, 0.3, 20), point(1.295, 0.31, 24), point(1.3, 1, undefined)];
    const limits = { objective: "fastest", maxLoss: 1, maxMs: 1 } as const;
    expect(choose(points, limits)?.sqnrDb).toBe(24);
    expect(choose(points, { ...limits, maxLoss: 5 })?.speedup).toBe(1.5);
  });

  it("does not refuse for a loss that the frames leave open", () => {
    const unsure = { ...point(1.5, 0.3, 25, 2), lossError: 1.8 };
    const limits = { objective: "fastest", maxLoss: 0.5, maxMs: 1 } as const;
    expect(choose([unsure, point(1, 1, undefined)], limits)).toBe(unsure);
    expect(choose([{ ...unsure, lossError: 1.2 }, point(1, 1, undefined)], limits)?.speedup).toBe(1);
  });

  it("takes the truest within the time, and none where nothing is fast enough", () => {
    const points = [point(2, 0.3, 15), point(1.25, 0.3, 30), point(1, 1, undefined)];
    const limits = { objective: "truest", maxLoss: 0, maxMs: 8 } as const;
    expect(choose(points, limits)?.sqnrDb).toBe(30);
    expect(choose(points, { ...limits, maxMs: 1 })).toBeUndefined();
  });
});
