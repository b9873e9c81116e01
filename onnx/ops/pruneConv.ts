/** Channel couplings of convolutions: plain, depthwise, grouped and transposed. */
import type { Node, Value } from "../ir/graph.ts";
import { pinSpatial } from "./pruneElementwise.ts";
import type { Coupler, Kept, PruneRule } from "./pruneRule.ts";

interface ConvSizes {
  readonly x: Value;
  readonly w: Value;
  readonly b: Value | null | undefined;
  readonly y: Value;
  readonly group: number;
  /** First two dimensions of the weight. */
  readonly w0: number;
  readonly w1: number;
}

/** Pins what no convolution lets go; undefined where the weight's size is unknown (everything is pinned then). */
function begin(node: Node, coupler: Coupler): ConvSizes | undefined {
  const [x, w, y] = [node.input(0), node.input(1), node.output()];
  const b = node.inputs[2];
  const [w0, w1] = coupler.shape(w) ?? [];
  if (typeof w0 !== "number" || typeof w1 !== "number") {
    for (const value of [x, w, b, y]) coupler.pinAll(value, "meets a weight of unknown size");
    return undefined;
  }
  coupler.join({ value: x, axis: 0 }, { value: y, axis: 0 });
  for (const value of [x, y, w]) pinSpatial(coupler, value, `${node.opType} slides over them`);
  return { x, w, b, y, group: node.int("group") ?? 1, w0, w1 };
}

/**
 * W is [M, C/g, kernel...]. g = 1: input channel c reads W[:, c], output m is W[m].
 * Depthwise (C/g = 1): output m reads input m div (M/C), so both leave with the group.
 * Grouped: every group must stay as wide as the others, so channels at the same place of each group leave together.
 */
export const convPrune: PruneRule = {
  couple(node, coupler) {
    const sizes = begin(node, coupler);
    if (!sizes) return;
    const { x, w, b, y, group, w0, w1 } = sizes;
    const out = { value: w, axis: 0 };
    const channels = { value: x, axis: 1 };
    coupler.join(out, { value: y, axis: 1 });
    if (b) coupler.join({ value: b, axis: 0 }, out);
    if (group > 1 && w1 === 1) {
      const perChannel = w0 / group;
      coupler.join(out, channels, (m) => Math.floor(m / perChannel));
    } else {
      coupler.join(channels, { value: w, axis: 1 }, (c) => c % w1);
      if (group > 1) coupler.join(out, out, (m) => m % (w0 / group));
    }
  },
  resize(node, kept) {
    setGroup(node, kept, (channels, [, w1]) => channels / w1);
  },
};

/** W is [C, M/g, kernel...]: as `convPrune` with the weight's two axes exchanged. */
export const convTransposePrune: PruneRule = {
  couple(node, coupler) {
    const sizes = begin(node, coupler);
    if (!sizes) return;
    const { x, w, b, y, group, w0, w1 } = sizes;
    const out = { value: y, axis: 1 };
    coupler.join({ value: x, axis: 1 }, { value: w, axis: 0 });
    if (b) coupler.join({ value: b, axis: 0 }, out);
    if (group > 1 && w0 === group) {
      coupler.join(out, { value: w, axis: 0 }, (m) => Math.floor(m / w1));
      coupler.pin({ value: w, axis: 1 }, "is the multiplier of a depthwise convolution");
    } else {
      coupler.join(out, { value: w, axis: 1 }, (m) => m % w1);
      if (group > 1) coupler.join({ value: w, axis: 0 }, { value: w, axis: 0 }, (c) => c % (w0 / group));
    }
  },
  resize(node, kept) {
    const depthwise = node.int("group") === node.input(1).shape?.[0];
    setGroup(node, kept, (channels) => (depthwise ? channels : (node.int("group") ?? 1)));
  },
};

function setGroup(node: Node, kept: Kept, groupOf: (channels: number, weight: [number, number]) => number): void {
  if ((node.int("group") ?? 1) === 1) return;
  const channels = kept.shape(node.input(0))?.[1];
  const [w0, w1] = kept.shape(node.input(1)) ?? [];
  if (typeof channels !== "number" || typeof w0 !== "number" || typeof w1 !== "number") return;
  node.set("group", groupOf(channels, [w0, w1]));
}
