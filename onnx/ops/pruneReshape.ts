/**
 * Channel couplings of operators that keep the order of the elements and change only how axes divide it:
 * Reshape, Flatten, Squeeze, Unsqueeze, DepthToSpace, SpaceToDepth.
 *
 * Both shapes are cut into runs of axes with equal products. Within a run the axes of the two sides have a common
 * refinement into factors: [48] and [24, 2] into 24 x 2, [C, H, W] and [C*H*W] into C x H x W. One factor may shrink,
 * the others stay: then index i of an axis that contains the factor depends on digit d(i) alone. A channel shuffle is
 * [N, gC, H, W] -> [N, g, C, H, W] -> transposed -> [N, Cg, H, W], and the larger factor (C) is the one that shrinks.
 */
import type { Node, Shape } from "../ir/graph.ts";
import { joinSame } from "./pruneElementwise.ts";
import type { AxisRef, Coupler, PruneRule } from "./pruneRule.ts";
import { setTargetShape } from "./pruneShape.ts";

interface Run {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** Runs of axes of equal product; undefined where a symbol or an unknown size does not stand alone on both sides. */
export function matchRuns(a: Shape, b: Shape): readonly Run[] | undefined {
  const runs: Run[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const run = { from: [i], to: [j] };
    let [left, right] = [a[i++], b[j++]];
    if (typeof left === "string" && left === right) {
      runs.push(run);
      continue;
    }
    while (typeof left === "number" && typeof right === "number" && left !== right) {
      if (left < right && i < a.length) {
        const dim = a[i];
        run.from.push(i++);
        left = typeof dim === "number" ? left * dim : undefined;
      } else if (right < left && j < b.length) {
        const dim = b[j];
        run.to.push(j++);
        right = typeof dim === "number" ? right * dim : undefined;
      } else return undefined;
    }
    if (typeof left !== "number" || left !== right || left === 0) return undefined;
    runs.push(run);
  }
  const rest = [...a.slice(i), ...b.slice(j)];
  return rest.every((dim) => dim === 1) ? runs : undefined;
}

/** Strides at which either side has a border between axes, ascending from 1; undefined where they do not nest. */
function borders(a: readonly number[], b: readonly number[]): readonly number[] | undefined {
  const strides = new Set<number>([1]);
  for (const dims of [a, b]) {
    let stride = 1;
    for (const dim of dims.toReversed()) {
      stride *= dim;
      strides.add(stride);
    }
  }
  const sorted = [...strides].sort((x, y) => x - y);
  return sorted.every((stride, i) => i === 0 || stride % (sorted[i - 1] ?? 1) === 0) ? sorted : undefined;
}

interface Part {
  readonly ref: AxisRef;
  readonly size: number;
  /** Elements of the run that one step along this axis passes. */
  readonly stride: number;
}

function parts(value: AxisRef["value"], shape: Shape, axes: readonly number[]): readonly Part[] {
  const list: Part[] = [];
  let stride = 1;
  for (const axis of axes.toReversed()) {
    const size = Number(shape[axis]);
    list.push({ ref: { value, axis }, size, stride });
    stride *= size;
  }
  return list;
}

/** One factor of a run: `size` steps of `stride` elements. */
interface Factor {
  readonly stride: number;
  readonly size: number;
}

function holds(part: Part, factor: Factor): boolean {
  return part.stride <= factor.stride && factor.stride * factor.size <= part.stride * part.size;
}

/** Both sides of a run without axes of 1, which hold no factor. */
interface Sides {
  readonly a: readonly Part[];
  readonly b: readonly Part[];
}

function sidesOf(node: Node, coupler: Coupler): readonly Sides[] | undefined {
  const [x, y] = [node.input(0), node.output()];
  const [from, to] = [coupler.shape(x), coupler.shape(y)];
  const runs = from && to && matchRuns(from, to);
  if (!runs) return undefined;
  const wide = (part: Part) => part.size > 1;
  return runs.map((run) => ({ a: parts(x, from, run.from).filter(wide), b: parts(y, to, run.to).filter(wide) }));
}

/** False where more than one factor may be the one that shrinks, unless `force`: then it is the largest. */
function settleRun(coupler: Coupler, { a, b }: Sides, force: boolean): boolean {
  if (a.length <= 1 && b.length <= 1) return true;
  const sizes = (side: readonly Part[]) => side.map((part) => part.size).toReversed();
  const strides = borders(sizes(a), sizes(b)) ?? [];
  const factors = strides.slice(1).map((end, i) => ({ stride: strides[i] ?? 1, size: end / (strides[i] ?? 1) }));
  const holder = (side: readonly Part[], factor: Factor) => side.find((part) => holds(part, factor));
  const free = factors
    .map((factor) => ({ factor, from: holder(a, factor), to: holder(b, factor) }))
    .filter(({ from, to }) => from && to && !coupler.whyPinned(from.ref) && !coupler.whyPinned(to.ref))
    .sort((x, y) => y.factor.size - x.factor.size);
  if (free.length > 1 && !force) return false;
  const chosen = free[0];
  for (const [side, opposite] of [
    [a, b],
    [b, a],
  ]) {
    const why = opposite?.map((part) => coupler.whyPinned(part.ref)).find((reason) => reason !== undefined);
    for (const part of side ?? []) {
      if (part !== chosen?.from && part !== chosen?.to)
        coupler.pin(part.ref, (!chosen && why) || "is folded into another axis by Reshape");
    }
  }
  if (!chosen?.from || !chosen.to) return true;
  const { factor, from, to } = chosen;
  const digit = (part: Part) => (i: number) => Math.floor((i * part.stride) / factor.stride) % factor.size;
  /** First index of a part with this digit. */
  const first = (part: Part, d: number) => (d * factor.stride) / part.stride;
  coupler.join(from.ref, to.ref, (i) => first(to, digit(from)(i)));
  coupler.join(to.ref, from.ref, (i) => first(from, digit(to)(i)));
  return true;
}

export const reshapePrune: PruneRule = {
  couple(node, coupler) {
    for (const value of node.inputs.slice(1)) coupler.pinAll(value, "says sizes");
    const runs = sidesOf(node, coupler);
    if (!runs) {
      for (const value of [node.input(0), node.output()])
        coupler.pinAll(value, "is reshaped in a way that is not known before the run");
      return;
    }
    for (const { a, b } of runs) {
      const [one, other] = [a[0], b[0]];
      if (a.length === 1 && b.length === 1 && one && other) coupler.join(one.ref, other.ref);
    }
  },
  settle(node, coupler, force) {
    const open = (sidesOf(node, coupler) ?? []).filter((run) => !settleRun(coupler, run, force));
    return open.length === 0;
  },
  resize(node, kept) {
    if (node.opType === "Reshape") setTargetShape(node, kept);
  },
};

/** DepthToSpace and SpaceToDepth: the channels that become one channel's pixels leave together. */
function blockPrune(deep: (node: Node) => AxisRef["value"], flat: (node: Node) => AxisRef["value"]): PruneRule {
  return {
    couple(node, coupler) {
      const [d, f] = [deep(node), flat(node)];
      joinSame(coupler, d, f, [1, 2, 3]);
      for (const axis of [2, 3])
        for (const value of [d, f]) coupler.pin({ value, axis }, `${node.opType} moves channels into them`);
      const channels = coupler.shape(f)?.[1];
      const blocks = (node.int("blocksize") ?? 1) ** 2;
      if (typeof channels !== "number") return coupler.pinAll(d, "meets a value of unknown size");
      const inner = node.string("mode") === "CRD";
      coupler.join({ value: d, axis: 1 }, { value: f, axis: 1 }, (i) =>
        inner ? Math.floor(i / blocks) : i % channels,
      );
    },
  };
}

export const depthToSpacePrune = blockPrune(
  (node) => node.input(0),
  (node) => node.output(),
);
export const spaceToDepthPrune = blockPrune(
  (node) => node.output(),
  (node) => node.input(0),
);
