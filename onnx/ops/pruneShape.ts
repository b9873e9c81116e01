/** Channel couplings of operators that move whole axes: Concat, Split, Slice, Gather, Transpose, Pad, Resize, Reduce. */
import type { Node, Value } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import { joinBroadcast, joinSame } from "./pruneElementwise.ts";
import type { Coupler, Kept, PruneRule } from "./pruneRule.ts";

/** Integers of an attribute or of a constant input; undefined where they are computed. */
export function constantInts(node: Node, name: string, index: number): readonly number[] | undefined {
  return node.ints(name) ?? node.inputs[index]?.constant?.numbers;
}

/** Replaces an integer input by a constant of its own (others may read the old one). */
export function setConstantInput(node: Node, index: number, data: readonly number[]): void {
  const old = node.inputs[index];
  node.setInput(index, node.graph.addInitializer(`${old?.name ?? node.name}_pruned`, Tensor.i64([data.length], data)));
}

function rankOf(coupler: Coupler, value: Value): number {
  return coupler.shape(value)?.length ?? 0;
}

function positive(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** The output's axis is the inputs' one after another. */
export const concatPrune: PruneRule = {
  couple(node, coupler) {
    const y = node.output();
    const axis = positive(node.int("axis") ?? 1, rankOf(coupler, y));
    let offset = 0;
    for (const x of node.inputs) {
      if (!x) continue;
      joinSame(coupler, x, y, [axis]);
      const size = coupler.shape(x)?.[axis];
      if (typeof size !== "number") {
        coupler.pinAll(y, "is concatenated from parts of unknown size");
        return;
      }
      const from = offset;
      coupler.join({ value: x, axis }, { value: y, axis }, (i) => from + i);
      offset += size;
    }
  },
};

export const splitPrune: PruneRule = {
  couple(node, coupler) {
    const x = node.input(0);
    const axis = positive(node.int("axis") ?? 0, rankOf(coupler, x));
    coupler.pinAll(node.inputs[1], "says sizes");
    let offset = 0;
    for (const y of node.outputs) {
      if (!y) {
        coupler.pin({ value: x, axis }, "is split, and a part is dropped");
        return;
      }
      joinSame(coupler, y, x, [axis]);
      const size = coupler.shape(y)?.[axis];
      if (typeof size !== "number") {
        coupler.pinAll(x, "is split into parts of unknown size");
        return;
      }
      const from = offset;
      coupler.join({ value: y, axis }, { value: x, axis }, (i) => from + i);
      offset += size;
    }
  },
  resize(node, kept) {
    const axis = positive(node.int("axis") ?? 0, kept.shape(node.input(0))?.length ?? 0);
    if (!kept.indices({ value: node.input(0), axis })) return;
    const sizes = node.outputs.map((y) => (y ? kept.shape(y)?.[axis] : undefined));
    const known = sizes.filter((size) => typeof size === "number");
    node.attributes.delete("num_outputs");
    if (kept.opset < 13) node.set("split", known);
    else setConstantInput(node, 1, known);
  },
};

interface SlicedAxis {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  /** Place in starts and ends. */
  readonly place: number;
}

/** Undefined where a bound is computed. */
function slicedAxes(node: Node, dims: readonly unknown[]): readonly SlicedAxis[] | undefined {
  const starts = constantInts(node, "starts", 1);
  const axes = node.inputs[3] || node.ints("axes") ? constantInts(node, "axes", 3) : starts?.map((_, i) => i);
  const steps = node.inputs[4] ? constantInts(node, "steps", 4) : starts?.map(() => 1);
  if (!starts || !axes || !steps) return undefined;
  return starts.map((begin, place) => {
    const axis = positive(axes[place] ?? 0, dims.length);
    const size = dims[axis];
    const step = steps[place] ?? 1;
    const start = typeof size === "number" ? clampStart(begin, size, step) : begin;
    return { axis, start, step, place };
  });
}

function clampStart(start: number, size: number, step: number): number {
  const from = start < 0 ? start + size : start;
  return Math.min(Math.max(from, 0), step > 0 ? size : size - 1);
}

export const slicePrune: PruneRule = {
  couple(node, coupler) {
    const [x, y] = [node.input(0), node.output()];
    for (const value of node.inputs.slice(1)) coupler.pinAll(value, "says bounds");
    const sliced = slicedAxes(node, coupler.shape(x) ?? []);
    if (!sliced) {
      for (const value of [x, y]) coupler.pinAll(value, "is sliced at computed bounds");
      return;
    }
    joinSame(
      coupler,
      x,
      y,
      sliced.map((s) => s.axis),
    );
    for (const { axis, start, step } of sliced) {
      const from = { value: x, axis };
      const to = { value: y, axis };
      if (step === 1 || sliced.length === 1) coupler.join(to, from, (i) => start + i * step);
      else for (const side of [from, to]) coupler.pin(side, "is sliced with a step along with another axis");
    }
  },
  resize(node, kept) {
    const x = node.input(0);
    const sliced = slicedAxes(node, x.shape ?? []) ?? [];
    const starts = [...(constantInts(node, "starts", 1) ?? [])];
    const ends = [...(constantInts(node, "ends", 2) ?? [])];
    let changed = false;
    for (const { axis, start, step, place } of sliced) {
      const left = kept.indices({ value: x, axis });
      const size = kept.shape(node.output())?.[axis];
      if (!left || typeof size !== "number") continue;
      if (step !== 1) return gatherInstead(node, { axis, start, step, place }, kept);
      const begin = left.filter((i) => i < start).length;
      starts[place] = begin;
      ends[place] = begin + size;
      changed = true;
    }
    if (!changed) return;
    if (node.ints("starts")) {
      node.set("starts", starts);
      node.set("ends", ends);
    } else {
      setConstantInput(node, 1, starts);
      setConstantInput(node, 2, ends);
    }
  },
};

/** What a step picked is no regular pattern any more once channels have left: Gather picks by index. */
function gatherInstead(node: Node, { axis, start, step }: SlicedAxis, kept: Kept): void {
  const x = node.input(0);
  const left = kept.indices({ value: x, axis }) ?? [];
  const size = Number(node.output().shape?.[axis]);
  const own = kept.indices({ value: node.output(), axis }) ?? Array.from({ length: size }, (_, i) => i);
  const places = own.map((i) => left.indexOf(start + i * step));
  node.opType = "Gather";
  node.truncateInputs(2);
  node.attributes.clear();
  node.set("axis", axis);
  setConstantInput(node, 1, places);
}

/** A constant list of indices picks channels; anything else reads along the whole axis. */
export const gatherPrune: PruneRule = {
  couple(node, coupler) {
    const [x, indices, y] = [node.input(0), node.input(1), node.output()];
    const rank = rankOf(coupler, x);
    const axis = positive(node.int("axis") ?? 0, rank);
    const inner = rankOf(coupler, indices);
    for (let i = 0; i < rank; i++) {
      if (i !== axis) coupler.join({ value: x, axis: i }, { value: y, axis: i < axis ? i : i + inner - 1 });
    }
    const size = coupler.shape(x)?.[axis];
    const picks = indices.constant?.numbers;
    if (inner === 1 && picks && typeof size === "number") {
      coupler.pinAll(indices, "says indices");
      coupler.join({ value: y, axis }, { value: x, axis }, (i) => positive(picks[i] ?? 0, size));
      return;
    }
    coupler.pin({ value: x, axis }, "is picked from by index");
    for (let i = 0; i < inner; i++) coupler.join({ value: indices, axis: i }, { value: y, axis: axis + i });
  },
  resize(node, kept) {
    const x = node.input(0);
    const axis = positive(node.int("axis") ?? 0, x.shape?.length ?? 0);
    const left = kept.indices({ value: x, axis });
    const size = x.shape?.[axis];
    const picks = node.input(1).constant?.numbers;
    if (!left || !picks || typeof size !== "number") return;
    const places = picks.map((pick) => left.indexOf(positive(pick, size))).filter((place) => place >= 0);
    setConstantInput(node, 1, places);
  },
};

export const transposePrune: PruneRule = {
  couple(node, coupler) {
    const [x, y] = [node.input(0), node.output()];
    const rank = rankOf(coupler, x);
    const perm = node.ints("perm") ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
    for (const [to, from] of perm.entries()) coupler.join({ value: x, axis: from }, { value: y, axis: to });
  },
};

/** Axes without padding are the same on both sides. */
export const padPrune: PruneRule = {
  couple(node, coupler) {
    const [x, y] = [node.input(0), node.output()];
    for (const value of node.inputs.slice(1)) coupler.pinAll(value, "says pads");
    const rank = rankOf(coupler, x);
    const pads = node.ints("paddings") ?? constantInts(node, "pads", 1);
    const axes = node.inputs[3] ? node.inputs[3].constant?.numbers : Array.from({ length: rank }, (_, i) => i);
    if (!pads || !axes) {
      for (const value of [x, y]) coupler.pinAll(value, "is padded by a computed amount");
      return;
    }
    const padded = axes
      .filter((_, i) => pads[i] !== 0 || pads[i + axes.length] !== 0)
      .map((axis) => positive(axis, rank));
    joinSame(coupler, x, y, padded);
    for (const axis of padded) for (const value of [x, y]) coupler.pin({ value, axis }, "is padded");
  },
};

/** Resize, Upsample, Tile: an axis that keeps its size is the same on both sides. */
export const resamplePrune: PruneRule = {
  couple(node, coupler) {
    const [x, y] = [node.input(0), node.output()];
    for (const value of node.inputs.slice(1)) coupler.pinAll(value, "says sizes");
    const [a, b] = [coupler.shape(x), coupler.shape(y)];
    const changed = (b ?? []).flatMap((dim, axis) => (dim === null || dim !== a?.[axis] ? [axis] : []));
    joinSame(coupler, x, y, changed);
    for (const axis of changed)
      for (const value of [x, y]) coupler.pin({ value, axis }, `${node.opType} changes its size`);
  },
  resize(node, kept) {
    const sizes = node.opType === "Resize" ? node.inputs[3] : undefined;
    const shape = kept.shape(node.output());
    if (!sizes || !shape) return;
    const axes = node.ints("axes") ?? [...shape.keys()];
    const dims = axes.map((axis) => shape[positive(axis, shape.length)]);
    const cut = shape.some((_, axis) => kept.indices({ value: node.output(), axis }));
    const fixed = dims.filter((dim) => typeof dim === "number");
    if (cut && fixed.length === dims.length) setConstantInput(node, 3, fixed);
  },
};

export const expandPrune: PruneRule = {
  couple(node, coupler) {
    coupler.pinAll(node.inputs[1], "says sizes");
    joinBroadcast(coupler, node.input(0), node.output());
  },
  resize(node, kept) {
    setTargetShape(node, kept);
  },
};

/** Gives Reshape or Expand its new target as a constant, where its output was cut. */
export function setTargetShape(node: Node, kept: Kept): void {
  const y = node.output();
  const shape = kept.shape(y);
  const x = node.input(0);
  const cutAt = (value: Value) =>
    (kept.shape(value) ?? []).some((_, axis) => kept.indices({ value, axis }) !== undefined);
  if (!shape || !(cutAt(y) || cutAt(x))) return;
  const before = kept.shape(x) ?? [];
  let free = false;
  const dims = shape.map((dim, axis) => {
    if (typeof dim === "number") return dim;
    if (node.opType === "Expand") return 1;
    if (dim !== null && before[axis] === dim && node.int("allowzero") !== 1) return 0;
    if (free) throw new Error(`${node.name || node.opType}: two dimensions of its output are unknown`);
    free = true;
    return -1;
  });
  setConstantInput(node, 1, dims);
}

/** ReduceMean and its kin: what is reduced over is mixed; all axes, where none or an empty list is given. */
export const reducePrune: PruneRule = {
  couple(node, coupler) {
    const [x, y] = [node.input(0), node.output()];
    const rank = rankOf(coupler, x);
    for (const value of node.inputs.slice(1)) coupler.pinAll(value, "says axes");
    const given = constantInts(node, "axes", 1);
    if ((!given && node.inputs[1]) || node.int("noop_with_empty_axes") === 1) {
      for (const value of [x, y]) coupler.pinAll(value, "is reduced over computed axes");
      return;
    }
    reduceOver(node, coupler, given?.length ? given : Array.from({ length: rank }, (_, i) => i));
  },
};

/** ArgMax and ArgMin: along one axis, the first by default. */
export const extremumPrune: PruneRule = {
  couple(node, coupler) {
    reduceOver(node, coupler, [node.int("axis") ?? 0]);
  },
};

function reduceOver(node: Node, coupler: Coupler, axes: readonly number[]): void {
  const [x, y] = [node.input(0), node.output()];
  const rank = rankOf(coupler, x);
  const reduced = axes.map((axis) => positive(axis, rank));
  const keepDims = (node.int("keepdims") ?? 1) === 1;
  let to = 0;
  for (let axis = 0; axis < rank; axis++) {
    if (reduced.includes(axis)) {
      coupler.pin({ value: x, axis }, `${node.opType} mixes them`);
      if (keepDims) to++;
    } else coupler.join({ value: x, axis }, { value: y, axis: to++ });
  }
}
