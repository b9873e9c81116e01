import { describe, expect, it } from "vitest";
import { latencyRange, layerNoise, operatorRows, profiles } from "./reports.ts";

const profile = (extra: object) => ({ kind: "profile", provenance: "measured", ...extra });

describe("operatorRows", () => {
  it("sums by type, longest first, and gathers the rest", () => {
    const sides = profiles({
      profile: profile({
        perOp: [
          { opType: "Conv", ms: 1 },
          { opType: "Conv", ms: 2 },
          { opType: "Add", ms: 0.5 },
        ],
      }),
      "profile-fp32": profile({
        perOp: [
          { opType: "Conv", ms: 5 },
          { opType: "Relu", ms: 0.2 },
        ],
      }),
    });
    expect(operatorRows(sides, 3)).toEqual([
      { opType: "Conv", before: 5, after: 3 },
      { opType: "Add", before: undefined, after: 0.5 },
      { opType: "Relu", before: 0.2, after: undefined },
    ]);
    expect(operatorRows(sides, 2)[1]).toEqual({ opType: "other", before: 0.2, after: 0.5 });
  });
});

describe("layerNoise", () => {
  it("lists the worst first and leaves out what has no figure", () => {
    const layers = [
      { node: "a", cumulativeSqnrDb: 30, ownSqnrDb: 5 },
      { node: "b" },
      { node: "c", cumulativeSqnrDb: 8 },
    ];
    expect(layerNoise({ quantize: { kind: "quantize", sqnr: "measured", layers } })).toEqual({
      kind: "measured",
      layers: [
        { node: "c", sqnrDb: 8 },
        { node: "a", sqnrDb: 30 },
      ],
    });
    expect(layerNoise({ other: { kind: "x" } })).toBeUndefined();
  });
});

describe("latencyRange", () => {
  it("leaves rare outliers out of the picture", () => {
    const histogram = { startMs: 2, binMs: 1, counts: [90, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] };
    const range = latencyRange(profiles({ profile: profile({ p50Ms: 2.5, p90Ms: 3, p99Ms: 16, histogram }) }));
    expect(range?.[0]).toBeLessThanOrEqual(2);
    expect(range?.[1]).toBeGreaterThan(3);
    expect(range?.[1]).toBeLessThan(5);
  });
  it("is absent where nothing was measured", () => {
    expect(latencyRange(profiles({ profile: profile({ provenance: "estimated", p50Ms: 3 }) }))).toBeUndefined();
  });
});
