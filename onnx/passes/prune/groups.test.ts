import { describe, expect, it } from "vitest";
import { modelFrom, type Step } from "../../../test/support/randomGraph.ts";
import { inferShapes } from "../../infer.ts";
import { solveDependencies } from "./groups.ts";
import { planCut, rankByScore, stepOf } from "./plan.ts";

function dependencies(...steps: readonly Step[]) {
  const model = modelFrom({ seed: 1, steps: steps.map((step) => ({ step, pick: 1 })) });
  inferShapes(model);
  return { model, ...solveDependencies(model) };
}

/** Channels of each group as units x width. */
function sizes(...steps: readonly Step[]): string[] {
  return dependencies(...steps).groups.map(({ units, width }) => `${units.length}x${width}`);
}

describe("solveDependencies", () => {
  it.each<[string, Step[], string[]]>([
    ["a chain of layers: each its own group", ["conv"], ["8x1", "8x1"]],
    ["a depthwise layer joins what is before and behind it", ["depthwise"], ["8x1"]],
    ["a grouped layer: the same place of both groups leaves together", ["grouped"], ["4x2", "4x2"]],
    ["an addition joins both branches", ["relu", "addSkip"], ["8x1"]],
    ["a product of two halves: channel i with channel i + half", ["splitHalves"], ["4x2"]],
    ["a shuffle pairs what lands side by side; a squeeze-excite", ["shuffle", "squeezeExcite"], ["4x2", "4x1"]],
    ["a transposed convolution and a resize", ["transposed", "resize"], ["8x1", "8x1"]],
  ])("%s", (_, steps, expected) => {
    expect(sizes(...steps)).toEqual(expected);
  });

  it("keeps what a caller sees, and says so", () => {
    const { pinned } = dependencies("conv");
    expect(pinned).toHaveLength(1);
    expect(pinned[0]).toMatchObject({ channels: 6, pinned: 6 });
    expect(pinned[0]?.reason).toContain("graph's output");
  });
});

describe("planCut", () => {
  it("meets the target, keeps multiples, and never empties a group", () => {
    const { model, groups } = dependencies("conv", "relu", "conv", "conv");
    for (const macs of [0.9, 0.5, 0.05]) {
      const ranked = groups.map((group) =>
        rankByScore(
          group,
          Float64Array.from(group.units, (_, i) => i + 1),
        ),
      );
      const plan = planCut(model.graph, ranked, { macs, scope: "global", multiple: 4 });
      for (const { kept } of plan.groups) {
        expect(kept).toBeGreaterThan(0);
        expect(kept % 4).toBe(0);
      }
      if (macs > 0.3) expect(plan.macsAfter).toBeLessThanOrEqual(macs * plan.macsBefore);
    }
  });

  it("takes the least important first", () => {
    const { model, groups } = dependencies("conv");
    const ranked = groups.map((group) =>
      rankByScore(
        group,
        Float64Array.from(group.units, (_, i) => 8 - i),
      ),
    );
    const { groups: plans } = planCut(model.graph, ranked, { macs: 0.6, scope: "global", multiple: 1 });
    for (const { group, removed } of plans)
      expect(removed).toEqual(group.units.slice(group.units.length - removed.length).reverse());
  });

  it("steps by the largest part of the multiple that divides", () => {
    const group = (units: number, width: number) => ({
      name: "g",
      width,
      units: Array.from({ length: units }, () => []),
    });
    expect(stepOf(group(64, 1), 8)).toBe(8);
    expect(stepOf(group(12, 1), 8)).toBe(4);
    expect(stepOf(group(8, 1), 8)).toBe(4);
    expect(stepOf(group(12, 2), 8)).toBe(4);
    expect(stepOf(group(3, 1), 8)).toBe(1);
  });
});
