/**
 * Which units to take out so that a share of the work is left, for the least loss.
 *
 * Greedy: each step takes the `step` least important units of one group; of that whose loss grows least for the work
 * saved (`global`), or of that which has lost the least share so far (`layer`). The last step overshoots; what fits is
 * then put back, dearest first.
 */
import type { Graph } from "../../ir/graph.ts";
import { ShrinkingCosts, type Worth } from "./costs.ts";
import type { PruneGroup, Unit } from "./groups.ts";

/** A group with its units in the order in which they would leave. */
export interface RankedGroup {
  readonly group: PruneGroup;
  readonly order: readonly Unit[];
  /** What the model loses without the first n units: `order.length + 1` entries from 0 on, never falling. */
  readonly loss: Float64Array;
}

/** Ascending by score; the loss of n units is -ln of the share of the scores that is left, so the last are dear. */
export function rankByScore(group: PruneGroup, scores: Float64Array): RankedGroup {
  const entries = group.units.map((unit, i) => ({ unit, score: scores[i] ?? 0 })).sort((a, b) => a.score - b.score);
  const total = entries.reduce((sum, entry) => sum + entry.score, 0);
  const loss = new Float64Array(entries.length + 1);
  let gone = 0;
  for (const [i, { score }] of entries.entries()) {
    gone += total > 0 ? score / total : 1 / entries.length;
    loss[i + 1] = -Math.log(Math.max(1e-9, 1 - gone));
  }
  return { group, order: entries.map((entry) => entry.unit), loss };
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
  /** Share of the work to keep. */
  readonly macs: number;
  /** Where channels go: wherever they cost least, or from every layer alike. */
  readonly scope: "global" | "layer";
  /** What a multiply-accumulate counts; 1 each where none is given. */
  readonly worth?: Worth;
  /** Channels left are a multiple of this where they are one now and stay more than one step. */
  readonly multiple: number;
}

interface Candidate extends RankedGroup {
  readonly step: number;
  taken: number;
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

export function planCut(graph: Graph, ranked: readonly RankedGroup[], options: PlanOptions): Plan {
  const groups = ranked.map((entry) => entry.group);
  const costs = new ShrinkingCosts(graph, groups, options.worth);
  const target = costs.macs * options.macs;
  const candidates = ranked.map((entry) => ({ ...entry, step: stepOf(entry.group, options.multiple), taken: 0 }));
  const history: { candidate: Candidate; units: readonly Unit[] }[] = [];
  while (costs.macs > target) {
    const next = cheapest(candidates, costs, options.scope);
    if (!next) break;
    const units = next.order.slice(next.taken, next.taken + next.step);
    costs.take(next.group, units, 1);
    next.taken += next.step;
    history.push({ candidate: next, units });
  }
  putBack(history, costs, target);
  return { ...workOf(graph, candidates), groups: candidates.map(planOf) };
}

/** In plain multiply-accumulates. */
function workOf(graph: Graph, candidates: readonly Candidate[]): Omit<Plan, "groups"> {
  const costs = new ShrinkingCosts(
    graph,
    candidates.map(({ group }) => group),
  );
  const macsBefore = costs.macs;
  for (const { group, order, taken } of candidates) costs.take(group, order.slice(0, taken), 1);
  return { macsBefore, macsAfter: costs.macs };
}

function cheapest(
  candidates: readonly Candidate[],
  costs: ShrinkingCosts,
  scope: PlanOptions["scope"],
): Candidate | undefined {
  let best: { candidate: Candidate; rate: number } | undefined;
  for (const candidate of candidates) {
    const { group, order, loss, step, taken } = candidate;
    if (order.length - taken <= step) continue;
    const saved = costs.saving(group, order.slice(taken, taken + step));
    if (saved <= 0) continue;
    const rate =
      scope === "layer" ? (taken + step) / order.length : ((loss[taken + step] ?? 0) - (loss[taken] ?? 0)) / saved;
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
  return { group, removed: order.slice(0, taken), kept: order.length - taken, step };
}
