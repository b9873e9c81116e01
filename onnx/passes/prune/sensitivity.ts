/**
 * What the outputs lose when a group loses channels, measured: each group in turn gives up its least important units, the
 * layers that read them make good for them as far as second moments tell, and the outputs are compared with the model's
 * own.
 *
 * Elimination tells channels of one group apart; this tells groups apart, which no figure of a single layer can: a layer
 * of little energy may carry what an output is about. An output's error counts relative to how much the output varies
 * from item to item, since what never changes (the score of the background) says nothing.
 */
import type { EvaluationSession, Evaluator } from "../../evaluator.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { addSignalError } from "../../kernels/signalError.ts";
import { addVariation, newVariation, variationEnergy } from "../../kernels/variation.ts";
import type { PassContext } from "../pass.ts";
import { eliminate, type ReducedReader } from "./eliminate.ts";
import { extract } from "./extract.ts";
import type { PruneGroup } from "./groups.ts";
import { type RankedGroup, stepOf } from "./plan.ts";
import { channelReaders } from "./readers.ts";
import { writeReader } from "./writeReader.ts";

export interface SensitivityOptions {
  readonly evaluator: Evaluator;
  readonly items: readonly HostTensors[];
  readonly multiple: number;
  /** The layers behind will be refitted. */
  readonly refit: boolean;
}

/** Shares of a group's units that are given up in its trials. */
const TRIALS = [0.25, 0.6];
/** More items order the groups no better. */
const TRIAL_ITEMS = 3;
/** Items that moments are taken on: many pictures, few positions of each. */
export const MOMENT_ITEMS = 24;

/** Orders the units of every group, with the loss measured at the outputs. */
export async function measureLosses(
  model: Model,
  groups: readonly PruneGroup[],
  options: SensitivityOptions,
  ctx: PassContext,
): Promise<readonly RankedGroup[]> {
  const { evaluator, refit, multiple } = options;
  const signal = ctx.signal ? { signal: ctx.signal } : {};
  const readers = await channelReaders(model, {
    evaluator,
    items: spread(options.items, MOMENT_ITEMS),
    refit,
    ...signal,
  });
  const items = spread(options.items, TRIAL_ITEMS);
  const reference = await referenceOf(model, items, evaluator);
  const ranked: RankedGroup[] = [];
  for (const group of groups) {
    const sizes = trialSizes(group, multiple);
    const points = [{ units: 0, error: 0 }];
    const entry = await eliminate(group, {
      readers,
      multiple,
      onStep: async (order, reduced) => {
        ctx.signal?.throwIfAborted();
        if (!sizes.includes(order.length)) return;
        const error = await trial(model, reduced, { evaluator, items, reference });
        points.push({ units: order.length, error: Math.max(error, points.at(-1)?.error ?? 0) });
      },
    });
    ranked.push({ ...entry, loss: between(points, entry.loss) });
    ctx.progress?.(ranked.length, groups.length, "groups", `tried ${group.name}`);
  }
  return ranked;
}

/** `count` of them at even distances. */
export function spread<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  return items.filter(
    (_, i) => Math.floor((i * count) / items.length) !== Math.floor(((i - 1) * count) / items.length),
  );
}

/** Whole steps, at least one, never all. */
function trialSizes(group: PruneGroup, multiple: number): readonly number[] {
  const step = stepOf(group, multiple);
  const steps = Math.ceil(group.units.length / step) - 1;
  return TRIALS.map((share) => step * Math.min(steps, Math.max(1, Math.round((share * group.units.length) / step))));
}

/** Measured points, and between two of them growth in the proportions of the loss that was estimated. */
function between(points: readonly { units: number; error: number }[], estimate: Float64Array): Float64Array {
  const loss = new Float64Array(estimate.length);
  for (const n of loss.keys()) {
    const after = points.findIndex((point) => point.units >= n);
    const [low, high] = after < 0 ? points.slice(-2) : [points[Math.max(0, after - 1)], points[after]];
    if (!low || !high) continue;
    const [from, to] = [estimate[low.units] ?? 0, estimate[high.units] ?? 0];
    const even = (n - low.units) / Math.max(1, high.units - low.units);
    const share = to > from ? ((estimate[n] ?? 0) - from) / (to - from) : even;
    loss[n] = low.error + share * (high.error - low.error);
  }
  return loss;
}

interface Trial {
  readonly evaluator: Evaluator;
  readonly items: readonly HostTensors[];
  readonly reference: Reference;
}

/** Relative error of the outputs with these readers as they are now: what nothing reads need not leave for that. */
async function trial(model: Model, reduced: readonly ReducedReader[], options: Trial): Promise<number> {
  const copy = extract(model, outputNames(model));
  for (const entry of reduced) await writeReader(copy, entry.reader, entry.linear.weights);
  await using session = await options.evaluator.open(copy);
  return await relativeError(session, options.items, options.reference);
}

function outputNames(model: Model): readonly string[] {
  return model.graph.outputs.map((value) => value.name);
}

interface Reference {
  readonly outputs: readonly HostTensors[];
  /** By output name: sum of squares of its deviation from its mean over the items. */
  readonly variation: ReadonlyMap<string, number>;
}

async function referenceOf(model: Model, items: readonly HostTensors[], evaluator: Evaluator): Promise<Reference> {
  await using session = await evaluator.open(extract(model, outputNames(model)));
  const outputs: HostTensors[] = [];
  for (const item of items) outputs.push(await session.run(item));
  const variation = new Map<string, number>();
  for (const name of outputNames(model)) {
    const data = outputs.flatMap((values) => values[name]?.data ?? []).filter((x) => x instanceof Float32Array);
    const moments = newVariation(data[0]?.length ?? 0);
    for (const x of data) if (x.length === moments.sum.length) addVariation(moments, x);
    variation.set(name, variationEnergy(moments));
  }
  return { outputs, variation };
}

/** Mean over the outputs of |error|^2 / variation. */
async function relativeError(
  session: EvaluationSession,
  items: readonly HostTensors[],
  { outputs, variation }: Reference,
): Promise<number> {
  const errors = new Map<string, { signal: number; error: number; maxAbs: number }>();
  for (const [i, item] of items.entries()) {
    for (const [name, { data }] of Object.entries(await session.run(item))) {
      const expected = outputs[i]?.[name]?.data;
      if (!(expected instanceof Float32Array) || !(data instanceof Float32Array)) continue;
      const into = errors.get(name) ?? { signal: 0, error: 0, maxAbs: 0 };
      errors.set(name, into);
      addSignalError(expected, data, into);
    }
  }
  const shares = [...errors].map(([name, { error, signal }]) => error / (variation.get(name) || signal || 1));
  return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
}
