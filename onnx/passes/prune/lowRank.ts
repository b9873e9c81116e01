/**
 * Low rank: a 1x1 Conv or a matrix product becomes two thin ones where that is less work, at the rank at which the least
 * of its output is lost on the inputs at hand (without any: of its weights).
 *
 * Ranks are chosen over the whole model: one price for a multiply-accumulate, at which each layer takes the rank, or
 * stays whole, for the least sum of loss and price (Lagrange); the price that meets the goal is found by halving.
 */
import type { Evaluator } from "../../evaluator.ts";
import { inferShapes } from "../../infer.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { newLinearReader } from "../../kernels/elimination.ts";
import { type Factors, factorize, multiply } from "../../kernels/lowRank.ts";
import type { PassContext } from "../pass.ts";
import { ShrinkingCosts } from "./costs.ts";
import { insertFactors, isFactorizable } from "./insertFactors.ts";
import { type Layer, layersOf } from "./layers.ts";
import { OutputLoss, TRIAL_ITEMS } from "./outputLoss.ts";
import { PruneRefusal } from "./pruneRefusal.ts";
import { identity, momentsOf, type Reading, readingOf } from "./readers.ts";
import { type RepairedLayer, repair } from "./repair.ts";
import { MOMENT_ITEMS, spread } from "./sensitivity.ts";
import { writeReader } from "./writeReader.ts";

export interface LowRankOptions {
  /** Share of the multiply-accumulates to keep. */
  readonly keep: number;
  /** Ranks are multiples of this. */
  readonly multiple: number;
  /** Inputs to measure on, and whether the layers behind are refitted on them. */
  readonly measured?: { readonly evaluator: Evaluator; readonly items: readonly HostTensors[] } | undefined;
  readonly repair: boolean;
}

export interface FactorizedLayer {
  readonly node: string;
  /** Undefined where it stays whole. */
  readonly rank?: number;
  readonly fullRank: number;
  readonly weight: string;
  /** Names of the two thin weights, that of the first layer first; where it has a rank. */
  readonly factors?: readonly string[];
}

export interface LowRankOutcome {
  readonly layers: readonly FactorizedLayer[];
  readonly macsBefore: number;
  readonly macsAfter: number;
  readonly repaired: readonly RepairedLayer[];
}

interface Candidate {
  readonly layer: Layer;
  readonly reading: Reading;
  readonly outputs: number;
  readonly factors: Factors;
  readonly macs: number;
  readonly ranks: readonly number[];
  /** What the model loses at full loss of this layer's output. */
  scale: number;
}

/** Wider on both sides takes minutes to decompose. */
const WIDEST = 768;

/** Changes the model in place; types must be inferred and constants be initializers. */
export async function factorizeLayers(
  model: Model,
  options: LowRankOptions,
  ctx: PassContext,
): Promise<LowRankOutcome> {
  const costs = new ShrinkingCosts(model.graph, []);
  const candidates = await candidatesOf(model, { ...options, costs }, ctx);
  if (candidates.length === 0) {
    throw new PruneRefusal(
      "nothing-to-prune",
      "no 1x1 Conv or matrix product of this model would be less work as two",
      "Take out channels instead: its layers are too narrow for a rank that saves work.",
    );
  }
  const { measured } = options;
  if (measured) await measureScales(model, candidates, { measured, progress: ctx });
  const original = measured && options.repair ? (await OutputLoss.of(model, [], measured.evaluator)).copy() : undefined;
  const ranks = chooseRanks(candidates, costs.macs * (1 - options.keep));
  const changed = new Set<string>();
  let macsAfter = costs.macs;
  for (const candidate of candidates) {
    const rank = ranks.get(candidate);
    if (rank === undefined) continue;
    const { layer, reading, factors, outputs } = candidate;
    macsAfter -= saving(candidate, rank);
    await insertFactors(layer, { ...factors.parts(rank), rank, inputs: reading.inputs, outputs, reading });
    changed.add(layer.y.name);
  }
  inferShapes(model);
  const repaired =
    original && measured && changed.size > 0 ? await repair(original, model, { ...measured, changed }, ctx) : [];
  const layers = candidates.map((candidate) => {
    const rank = ranks.get(candidate);
    const fullRank = Math.min(candidate.reading.inputs, candidate.outputs);
    const { node, weight } = candidate.layer;
    const factors = [node.inputs[0]?.producer?.inputs[1], node.inputs[1]].map((value) => value?.name ?? "");
    const entry = { node: nameOf(candidate.layer), fullRank, weight: weight.name };
    return rank === undefined ? entry : { ...entry, rank, factors };
  });
  return { layers, macsBefore: costs.macs, macsAfter, repaired };
}

function nameOf({ node, y }: Layer): string {
  return node.name || y.name;
}

async function candidatesOf(
  model: Model,
  { measured, multiple, costs }: LowRankOptions & { readonly costs: ShrinkingCosts },
  ctx: PassContext,
): Promise<readonly Candidate[]> {
  const layers = layersOf(model.graph).filter(isFactorizable);
  const signal = ctx.signal ? { signal: ctx.signal } : {};
  const seen =
    measured &&
    (await momentsOf(model, layers, {
      ...measured,
      items: spread(measured.items, MOMENT_ITEMS),
      refit: true,
      ...signal,
    }));
  const found: Candidate[] = [];
  for (const [i, layer] of layers.entries()) {
    ctx.signal?.throwIfAborted();
    ctx.progress?.(i, layers.length, "layers", `factorizing ${nameOf(layer)}`);
    const inputs = layer.weight.initializer?.dims[layer.inAxis ?? 0] ?? 0;
    const outputs = layer.weight.initializer?.dims[layer.outAxis] ?? 0;
    const ranks = ranksOf(inputs, outputs, multiple);
    if (ranks.length === 0 || Math.min(inputs, outputs) > WIDEST) continue;
    const equations = seen?.get(layer.x);
    if (seen && !equations) continue;
    const reading = equations ? await readingOf(layer, equations, true) : await blindReading(layer, inputs);
    const factors = factorize(reading.rows, reading.moments, inputs);
    if (factors) found.push({ layer, reading, outputs, factors, macs: costs.of(layer.node), ranks, scale: 1 });
  }
  return found;
}

async function blindReading(layer: Layer, inputs: number): Promise<Reading> {
  const empty = { n: inputs + 1, m: 0, gram: new Float64Array((inputs + 1) ** 2), cross: new Float64Array(0) };
  const reading = await readingOf(layer, { ...empty, targetEnergy: new Float64Array(0), rows: 1 }, false);
  return { ...reading, moments: identity(inputs) };
}

/** Multiples of `multiple` at which two products are less work than one, ascending. */
function ranksOf(inputs: number, outputs: number, multiple: number): readonly number[] {
  const even = (inputs * outputs) / (inputs + outputs);
  return Array.from({ length: Math.max(0, Math.ceil(even / multiple) - 1) }, (_, i) => (i + 1) * multiple);
}

function saving({ macs, reading, outputs }: Candidate, rank: number): number {
  return macs * (1 - (rank * (reading.inputs + outputs)) / (reading.inputs * outputs));
}

/** Share of the output's energy that is lost. */
function lossAt({ factors: { energies } }: Candidate, rank: number): number {
  const sum = (from: number) => energies.subarray(from).reduce((a, b) => a + Math.max(0, b), 0);
  return sum(rank) / (sum(0) || 1);
}

/** What the outputs lose with each layer at its middle rank, measured. */
async function measureScales(
  model: Model,
  candidates: readonly Candidate[],
  { measured, progress }: { measured: NonNullable<LowRankOptions["measured"]>; progress: PassContext },
): Promise<void> {
  const outputs = await OutputLoss.of(model, spread(measured.items, TRIAL_ITEMS), measured.evaluator);
  for (const [i, candidate] of candidates.entries()) {
    progress.signal?.throwIfAborted();
    const { layer, reading, factors, ranks } = candidate;
    const rank = ranks[Math.floor(ranks.length / 2)] ?? 1;
    const { first, second } = factors.parts(rank);
    const copy = outputs.copy();
    const linear = newLinearReader(reading.rows, reading.moments, undefined);
    await writeReader(copy, { layer, linear, means: reading.means }, multiply(first, second, rank));
    const lost = lossAt(candidate, rank);
    candidate.scale = lost > 0 ? (await outputs.of(copy)) / lost : 0;
    progress.progress?.(i + 1, candidates.length, "layers", `tried ${nameOf(layer)}`);
  }
}

/** Halvings of the price: from all to a millionth of the dearest layer. */
const HALVINGS = 60;

function chooseRanks(candidates: readonly Candidate[], goal: number): ReadonlyMap<Candidate, number> {
  let [low, high] = [0, 1];
  const savedAt = (price: number) =>
    [...ranksAt(candidates, price)].reduce((sum, [c, rank]) => sum + saving(c, rank), 0);
  const most = candidates.reduce((sum, candidate) => sum + saving(candidate, candidate.ranks[0] ?? 0), 0);
  while (savedAt(high) < Math.min(goal, most) && Number.isFinite(high)) high *= 2;
  for (let i = 0; i < HALVINGS; i++) {
    const price = (low + high) / 2;
    if (savedAt(price) < goal) low = price;
    else high = price;
  }
  return ranksAt(candidates, high);
}

/** The least of loss and price for each layer. */
function ranksAt(candidates: readonly Candidate[], price: number): ReadonlyMap<Candidate, number> {
  const chosen = new Map<Candidate, number>();
  for (const candidate of candidates) {
    let best = 0;
    for (const rank of candidate.ranks) {
      const gain = price * saving(candidate, rank) - candidate.scale * lossAt(candidate, rank);
      if (gain <= best) continue;
      best = gain;
      chosen.set(candidate, rank);
    }
  }
  return chosen;
}
