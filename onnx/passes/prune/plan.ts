/**
 * Which units to take out so that a share of the multiply-accumulates is left, for the least loss of importance.
 *
 * Greedy and global: each step takes the `step` least important units of the group where the importance lost, as a share
 * of what the group has left, is smallest for the work saved. That share keeps a group from being emptied: the last
 * channels are dear. The last step overshoots; what fits is then put back, dearest first.
 */
import type { Graph } from "../../ir/graph.ts";
import { ShrinkingCosts } from "./costs.ts";
import type { PruneGroup, Unit } from "./groups.ts";

export interface ScoredGroup {
  readonly group: PruneGroup;
  /** Of each unit, not negative: what the model loses with it. */
  readonly scores: Float64Array;
}

export interface GroupPlan {
  readonly group: PruneGroup;
  readonly removed: readonly Unit[];
  readonly kept: number;
  /** Units leave in steps of this many, so that the channels left are a multiple of what was asked for. */
  readonly step: number;
}

export interface Plan {
  readonly groups: readonly GroupPlan[];
  readonly macsBefore: number;
  readonly macsAfter: number;
}

export interface PlanOptions {
  /** Share of the multiply-accumulates to keep. */
  readonly macs: number;
  /** Channels left are a multiple of this where they are one now and stay more than one step. */
  readonly multiple: number;
}

interface Candidate {
  readonly group: PruneGroup;
  readonly step: number;
  /** Ascending importance. */
  readonly order: readonly { readonly unit: Unit; readonly score: number }[];
  taken: number;
  left: number;
}

/** The largest divisor chain of `multiple` by 2 that divides the channels and leaves more than one step. */
export function stepOf(group: PruneGroup, multiple: number): number {
  const channels = group.units.length * group.width;
  for (let size = multiple; size > group.width; size /= 2) {
    if (Number.isInteger(size) && channels % size === 0 && size % group.width === 0 && channels >= 2 * size)
      return size / group.width;
  }
  return 1;
}

export function planCut(graph: Graph, scored: readonly ScoredGroup[], options: PlanOptions): Plan {
  const costs = new ShrinkingCosts(
    graph,
    scored.map((s) => s.group),
  );
  const macsBefore = costs.macs;
  const target = macsBefore * options.macs;
  const candidates = scored.map(({ group, scores }) => candidateOf(group, scores, options.multiple));
  const history: { candidate: Candidate; units: readonly Unit[] }[] = [];
  while (costs.macs > target) {
    const next = cheapest(candidates, costs);
    if (!next) break;
    const chunk = next.order.slice(next.taken, next.taken + next.step);
    const units = chunk.map((entry) => entry.unit);
    costs.take(next.group, units, 1);
    next.taken += next.step;
    next.left -= sum(chunk);
    history.push({ candidate: next, units });
  }
  putBack(history, costs, target);
  return { macsBefore, macsAfter: costs.macs, groups: candidates.map(planOf) };
}

function candidateOf(group: PruneGroup, scores: Float64Array, multiple: number): Candidate {
  const order = group.units.map((unit, i) => ({ unit, score: scores[i] ?? 0 })).sort((a, b) => a.score - b.score);
  return { group, order, step: stepOf(group, multiple), taken: 0, left: sum(order) };
}

function sum(entries: readonly { readonly score: number }[]): number {
  return entries.reduce((total, entry) => total + entry.score, 0);
}

function cheapest(candidates: readonly Candidate[], costs: ShrinkingCosts): Candidate | undefined {
  let best: { candidate: Candidate; rate: number } | undefined;
  for (const candidate of candidates) {
    const { group, order, step, taken, left } = candidate;
    if (order.length - taken <= step) continue;
    const chunk = order.slice(taken, taken + step);
    const saved = costs.saving(
      group,
      chunk.map((entry) => entry.unit),
    );
    if (saved <= 0) continue;
    const rate = left > 0 ? sum(chunk) / left / saved : 0;
    if (!best || rate < best.rate) best = { candidate, rate };
  }
  return best?.candidate;
}

/** The last chunk of a group is its dearest, so only that one may return. */
function putBack(
  history: readonly { readonly candidate: Candidate; readonly units: readonly Unit[] }[],
  costs: ShrinkingCosts,
  target: number,
): void {
  const closed = new Set<Candidate>();
  for (const { candidate, units } of history.toReversed()) {
    if (closed.has(candidate)) continue;
    costs.take(candidate.group, units, -1);
    if (costs.macs <= target) candidate.taken -= candidate.step;
    else {
      costs.take(candidate.group, units, 1);
      closed.add(candidate);
    }
  }
}

function planOf({ group, order, taken, step }: Candidate): GroupPlan {
  const removed = order.slice(0, taken).map((entry) => entry.unit);
  return { group, removed, kept: group.units.length - taken, step };
}
