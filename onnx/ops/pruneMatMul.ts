/** Channel couplings of matrix products. */
import type { Value } from "../ir/graph.ts";
import { joinBroadcast } from "./pruneElementwise.ts";
import type { AxisRef, Coupler, PruneRule } from "./pruneRule.ts";

/** Y[..., m, n] = sum over k of A[..., m, k] B[..., k, n]; the axes before are broadcast. A vector has only its k. */
export const matMulPrune: PruneRule = {
  couple(node, coupler) {
    const [a, b, y] = [node.input(0), node.input(1), node.output()];
    const [ra, rb] = [coupler.shape(a)?.length, coupler.shape(b)?.length];
    const ry = coupler.shape(y)?.length;
    if (ra === undefined || rb === undefined || ry === undefined) {
      for (const value of [a, b, y]) coupler.pinAll(value, "meets a value of unknown rank");
      return;
    }
    coupler.join({ value: a, axis: ra - 1 }, { value: b, axis: Math.max(0, rb - 2) });
    if (ra > 1) coupler.join({ value: a, axis: ra - 2 }, { value: y, axis: ry - (rb > 1 ? 2 : 1) });
    if (rb > 1) coupler.join({ value: b, axis: rb - 1 }, { value: y, axis: ry - 1 });
    joinBatch(coupler, a, y);
    joinBatch(coupler, b, y);
    if (Math.min(ra, rb) > 2 && !a.constant && !b.constant) pinMatrices(coupler, [a, b]);
  },
};

/** A product of two activations, one a head: heads leave whole, so that each stays as wide as its scale says. */
function pinMatrices(coupler: Coupler, values: readonly Value[]): void {
  for (const value of values) {
    const rank = coupler.shape(value)?.length ?? 0;
    for (const axis of [rank - 2, rank - 1]) coupler.pin({ value, axis }, "is the width of an attention head");
  }
}

/** The axes before the last two, aligned from the right. */
function joinBatch(coupler: Coupler, from: Value, to: Value): void {
  const [a, b] = [coupler.shape(from) ?? [], coupler.shape(to) ?? []];
  for (let back = 3; back <= a.length; back++) {
    if (a[a.length - back] === 1 || b.length < back) continue;
    coupler.join({ value: from, axis: a.length - back }, { value: to, axis: b.length - back });
  }
}

/** Y = alpha A' B' + beta C with A' [m, k], B' [k, n], C broadcast to [m, n]. */
export const gemmPrune: PruneRule = {
  couple(node, coupler) {
    const [a, b, y] = [node.input(0), node.input(1), node.output()];
    const [transA, transB] = [node.int("transA") ?? 0, node.int("transB") ?? 0];
    const [m, aK]: AxisRef[] = [
      { value: a, axis: transA },
      { value: a, axis: 1 - transA },
    ];
    const [bK, n]: AxisRef[] = [
      { value: b, axis: transB },
      { value: b, axis: 1 - transB },
    ];
    if (m && aK && bK && n) {
      coupler.join(aK, bK);
      coupler.join(m, { value: y, axis: 0 });
      coupler.join(n, { value: y, axis: 1 });
    }
    const c = node.inputs[2];
    if (c) joinBroadcast(coupler, c, y);
  },
};
