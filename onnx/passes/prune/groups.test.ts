import { describe, expect, it } from "vitest";
import { modelFrom, type Step } from "../../../test/support/randomGraph.ts";
import { inferShapes } from "../../infer.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model, type Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { ShrinkingCosts } from "./costs.ts";
import { solveDependencies } from "./groups.ts";
import { planCut, type RankedGroup, rankByScore, stepOf } from "./plan.ts";

function dependencies(...steps: readonly Step[]) {
  const model = modelFrom({ seed: 1, steps: steps.map((step) => ({ step, pick: 1 })) });
  inferShapes(model);
  return { model, ...solveDependencies(model) };
}

/** Channels of each group as units x width. */
function sizes(...steps: readonly Step[]): string[] {
  return dependencies(...steps).groups.map(({ units, width }) => `${units.length}x${width}`);
}

/** What each way to take channels leaves, all of them. */
function sharesOf(graph: Graph, ranked: readonly RankedGroup[]): readonly number[] {
  const costs = new ShrinkingCosts(
    graph,
    ranked.map(({ group }) => group),
  );
  const whole = costs.macs;
  const shares: number[] = [];
  const choose = (from: number) => {
    const entry = ranked[from];
    if (!entry) return shares.push(costs.macs / whole);
    for (let taken = 0; taken < entry.order.length; taken++) {
      costs.take(entry.group, entry.order.slice(0, taken), 1);
      choose(from + 1);
      costs.take(entry.group, entry.order.slice(0, taken), -1);
    }
    return shares.length;
  };
  choose(0);
  return shares;
}

/** 16 channels shuffled by 4 in front of 4 groups: each place of a group meets channels of every place. */
function shuffled(): Model {
  const graph = new Graph("shuffled");
  const model = new Model(graph);
  model.opsetImports.set("", 17);
  const layer = (name: string, x: Value, dims: readonly number[], group: number) => {
    const weight = graph.addInitializer(`${name}_w`, Tensor.f32(dims, new Float32Array(dims.reduce((a, b) => a * b))));
    const node = { opType: "Conv", name, inputs: [x, weight], outputs: [`${name}_y`], attributes: { group } };
    return graph.addNode(node).output();
  };
  const reshape = (x: Value, dims: readonly number[]) => {
    const target = graph.addInitializer("dims", Tensor.i64([dims.length], dims));
    return graph.addNode({ opType: "Reshape", inputs: [x, target], outputs: [`to${dims.length}`] }).output();
  };
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: [1, 3, 6, 6] });
  const split = reshape(layer("first", x, [16, 3, 1, 1], 1), [1, 4, 4, 6, 6]);
  const attributes = { perm: [0, 2, 1, 3, 4] };
  const turned = graph.addNode({ opType: "Transpose", inputs: [split], outputs: ["turned"], attributes }).output();
  const grouped = layer("grouped", reshape(turned, [1, 16, 6, 6]), [16, 4, 1, 1], 4);
  graph.addOutput(layer("last", grouped, [5, 16, 1, 1], 1));
  return model;
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

  it("says of a layer whose channels are one unit that none can leave", () => {
    const model = shuffled();
    inferShapes(model);
    const { groups, pinned } = solveDependencies(model);
    expect(groups.map(({ name }) => name)).toEqual(["grouped"]);
    expect(pinned).toEqual([
      { node: "first", channels: 16, pinned: 16, reason: expect.stringContaining("none can leave unless all do") },
      { node: "last", channels: 5, pinned: 5, reason: expect.stringContaining("graph's output") },
    ]);
  });

  it("keeps what a caller sees, and says so", () => {
    const { pinned } = dependencies("conv");
    expect(pinned).toHaveLength(1);
    expect(pinned[0]).toMatchObject({ channels: 6, pinned: 6 });
    expect(pinned[0]?.reason).toContain("graph's output");
  });
});

describe("planCut", () => {
  it("comes near the target, keeps multiples, and never empties a group", () => {
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
      if (macs > 0.3) expect(Math.abs(plan.macsAfter / plan.macsBefore - macs)).toBeLessThan(0.06);
    }
  });

  it.each([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])("comes as near to %d as large and small units allow", (macs) => {
    // Pairs of channels leave some layers, single ones others.
    const { model, groups } = dependencies("grouped", "shuffle", "grouped", "conv", "relu", "conv");
    const ranked = groups.map((group) => rankByScore(group, new Float64Array(group.units.length).fill(1)));
    const plan = planCut(model.graph, ranked, { macs, scope: "global", multiple: 1 });
    const share = plan.macsAfter / plan.macsBefore;
    const nearest = Math.min(...sharesOf(model.graph, ranked).map((each) => Math.abs(each - macs)));
    expect(Math.abs(share - macs)).toBeLessThan(nearest + 0.02);
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
