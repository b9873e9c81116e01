import { describe, expect, it } from "vitest";
import { resultFigures } from "./figures.ts";

const profile = (extra: object) => ({ kind: "profile", version: 1, provenance: "measured", ...extra });
const byId = (reports: Record<string, unknown>) =>
  Object.fromEntries(resultFigures(reports).figures.map((f) => [f.id, f]));

describe("resultFigures", () => {
  it("sets the candidate against the fp32 baseline", () => {
    const figures = byId({
      profile: profile({ p50Ms: 3.27, sizeBytes: 410_000 }),
      "profile-fp32": profile({ p50Ms: 3.5, sizeBytes: 1_000_000 }),
      evaluate: { kind: "evaluate", mAP50: 0.396 },
      "evaluate-fp32": { kind: "evaluate", mAP50: 0.4 },
      compare: { kind: "compare", mAP50: 0.9 },
    });
    expect(figures.latency).toMatchObject({ before: { value: 3.5 }, after: { value: 3.27 } });
    expect(figures.size).toMatchObject({ before: { value: 1_000_000 }, after: { value: 410_000 } });
    expect(figures.accuracy).toMatchObject({ before: { value: 0.4 }, after: { value: 0.396 } });
  });

  it("leaves unknown what no report tells, and never makes it 0", () => {
    const figures = byId({ profile: profile({ p50Ms: 3.27 }) });
    expect(figures.memory).toEqual({ id: "memory", before: undefined, after: undefined });
    expect(figures.latency?.before).toBeUndefined();
  });

  it("keeps an estimate an estimate, with its interval", () => {
    const report = profile({ provenance: "estimated", p50Ms: 3.1, interval: { p50Ms: [2.4, 4.1] } });
    expect(byId({ profile: report }).latency?.after).toEqual({
      value: 3.1,
      provenance: "estimated",
      interval: [2.4, 4.1],
    });
  });

  it("names top-1 where there is no mAP", () => {
    expect(resultFigures({ evaluate: { kind: "evaluate", top1: 0.7 } }).accuracy).toBe("top-1");
  });
});
