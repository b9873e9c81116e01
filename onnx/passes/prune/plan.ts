/**
 * Which units to take out so that a share of the work is left, for the least loss.
 *
 * Greedy: each step takes the `step` least important units of one group; of that whose loss grows least for the work
 * saved (`global`), or of that which has lost the least share so far (`layer`). The last step overshoots; what fits is
 * then put back, dearest first. Where that ends far below the goal, since units are large, it is done again without the
 * steps that lead there, and the plan that comes nearest is taken.
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

/** A plan that leaves less than the goal by no more than this share of the work is near enough. */
export const NEAR = 0.01;
/** A goal is a ceiling first: to miss it above counts this many times what it does below. */
const ABOVE = 2;

export function planCut(graph: Graph, ranked: readonly RankedGroup[], options: PlanOptions): Plan {
  const found = [...attempts(graph, ranked, { ...options, floor: 0 })];
  const isBelow = ({ share }: Attempt) => share <= options.macs;
  const first = found.find(isBelow)?.share ?? options.macs;
  for (let gap = NEAR; first < options.macs - gap; gap *= 2) {
    const next = attempts(graph, ranked, { ...options, floor: options.macs - gap });
    found.push(...next);
    if (next.length === 1) break;
  }
  const distance = ({ share }: Attempt) => Math.max(options.macs - share, ABOVE * (share - options.macs));
  const candidates = found.toSorted((a, b) => distance(a) - distance(b))[0]?.candidates ?? [];
  return { ...workOf(graph, candidates), groups: candidates.map(planOf) };
}

interface Attempt {
  readonly candidates: readonly Candidate[];
  /** Of the work, that is left. */
  readonly share: number;
}

/** `floor`: no step leads below this share of the work, but for one where none other is left: that makes two plans. */
function attempts(
  graph: Graph,
  ranked: readonly RankedGroup[],
  { macs, scope, worth, multiple, floor }: PlanOptions & { readonly floor: number },
): readonly Attempt[] {
  const groups = ranked.map((entry) => entry.group);
  const costs = new ShrinkingCosts(graph, groups, worth);
  const whole = costs.macs;
  const target = whole * macs;
  const candidates = ranked.map((entry) => ({ ...entry, step: stepOf(entry.group, multiple), taken: 0 }));
  const history: Taken[] = [];
  const take = (candidate: Candidate) => {
    const units = candidate.order.slice(candidate.taken, candidate.taken + candidate.step);
    costs.take(candidate.group, units, 1);
    candidate.taken += candidate.step;
    history.push({ candidate, units });
  };
  const now = (): Attempt => ({
    candidates: candidates.map((each) => ({ ...each })),
    share: whole > 0 ? costs.macs / whole : 1,
  });
  while (costs.macs > target) {
    const next = cheapest(candidates, costs, { scope, most: costs.macs - whole * floor });
    if (!next) break;
    take(next);
  }
  const found: Attempt[] = [];
  if (costs.macs > target) {
    found.push(now());
    const steps = candidates.filter(hasStep).map((candidate) => ({ candidate, saved: savingOf(candidate, costs) }));
    const smallest = steps.filter(({ saved }) => saved > 0).toSorted((a, b) => a.saved - b.saved)[0];
    if (!smallest) return found;
    take(smallest.candidate);
  }
  putBack(history, costs, target);
  return [...found, now()];
}

interface Taken {
  readonly candidate: Candidate;
  readonly units: readonly Unit[];
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

function hasStep({ order, taken, step }: Candidate): boolean {
  return order.length - taken > step;
}

function savingOf({ group, order, taken, step }: Candidate, costs: ShrinkingCosts): number {
  return costs.saving(group, order.slice(taken, taken + step));
}

/** Of the steps that save no more than `most`. */
function cheapest(
  candidates: readonly Candidate[],
  costs: ShrinkingCosts,
  { scope, most }: Pick<PlanOptions, "scope"> & { readonly most: number },
): Candidate | undefined {
  let best: { candidate: Candidate; rate: number } | undefined;
  for (const candidate of candidates.filter(hasStep)) {
    const { order, loss, step, taken } = candidate;
    const saved = savingOf(candidate, costs);
    if (saved <= 0 || saved > most) continue;
    const rate =
      scope === "layer" ? (taken + step) / order.length : ((loss[taken + step] ?? 0) - (loss[taken] ?? 0)) / saved;
    if (!best || rate < best.rate) best = { candidate, rate };
  }
  return best?.candidate;
}

/** The last chunk of a group is its dearest, so only that one may return. */
function putBack(history: readonly Taken[], costs: ShrinkingCosts, target: number): void {
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
