import { describe, expect, it } from "vitest";
import { renderFace } from "../../test/support/renderFace.ts";
import { Face } from "./face.tsx";
import { joinReports } from "./join.ts";

const side = (p50Ms: number, mAP50: number, provenance = "measured") => [
  { kind: "profile", provenance, p50Ms, sizeBytes: 1_000_000, target: provenance },
  { kind: "evaluate", provenance: "measured", mAP50 },
];
const report = (...sides: ReturnType<typeof side>[]) => ({
  kind: "compare",
  version: 1,
  provenance: "measured",
  ...joinReports(sides[0] ?? [], sides[1] ?? []),
});

describe("Face", () => {
  it("writes accuracy without its zero, bytes in MB, the better one bold", () => {
    const html = renderFace(Face, { report: report(side(3.5, 0.4), side(3.27, 0.401)) });
    expect(html).toContain(".401");
    expect(html).not.toContain("0.401");
    expect(html).toContain("size MB".replace("size", "Size"));
    expect(html).toMatch(/font-weight="600"[^>]*>3\.27</);
    expect(html).not.toMatch(/font-weight="600"[^>]*>3\.50</);
  });

  it("sets an estimate in italics with ≈, never bold, and warns", () => {
    const html = renderFace(Face, { report: report(side(3.5, 0.4), side(1, 0.4, "estimated")) });
    expect(html).toMatch(/font-style="italic" font-weight="400"[^>]*>≈ 1\.00</);
    expect(html).toContain("<title>how the latency came about differs");
  });

  it("draws speed against accuracy when opened, and only where both sides have both", () => {
    expect(renderFace(Face, { report: report(side(3.5, 0.4), side(3.27, 0.4)), large: true })).toContain("p50, ms");
    const lone = report(side(3.5, 0.4), side(3.2, 0.4).slice(0, 1));
    const html = renderFace(Face, { report: lone, large: true });
    expect(html).not.toContain("p50, ms");
    expect(html).toContain("–");
  });
});
