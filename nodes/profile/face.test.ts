import { describe, expect, it } from "vitest";
import { renderFace } from "../../test/support/renderFace.ts";
import { Face } from "./face.tsx";
import { latencyStatistics } from "./statistics.ts";

const measured = {
  kind: "profile",
  version: 1,
  provenance: "measured",
  target: "local-cpu",
  ...latencyStatistics([3, 3.1, 3.2, 3.3, 4.6]),
  perOp: [
    { node: "Conv_0", opType: "Conv", ms: 0.5 },
    { node: "Conv_1", opType: "Conv", ms: 1.5 },
  ],
  conditions: { cpu: "A CPU" },
};

describe("Face", () => {
  it("ticks the percentiles of a measurement", () => {
    const html = renderFace(Face, { report: measured });
    expect(html).toContain("p50 3.20");
    expect(html).toContain("p99 4.60");
    expect(html).not.toContain("NaN");
  });

  it("lists operators, slowest first, and the conditions, when opened", () => {
    const html = renderFace(Face, { report: measured, large: true });
    expect(html.indexOf("Conv_1")).toBeLessThan(html.indexOf("Conv_0"));
    expect(html).toContain("75 %");
    expect(html).toContain("A CPU");
  });

  it("marks an estimate as one, with its interval and no percentile beyond p50", () => {
    const report = { kind: "profile", provenance: "estimated", target: "orin", p50Ms: 8, interval: { p50Ms: [6, 11] } };
    const html = renderFace(Face, { report });
    expect(html).toContain("≈ 8.00 ms (6.00–11.0)");
    expect(html).toContain("estimated, orin");
    expect(html).not.toContain("p99");
  });

  it("shows nothing for what is no profile", () => expect(renderFace(Face, { report: { kind: "x" } })).toBe(""));
});
