/**
 * What the outputs lose when a group loses channels, measured: each group in turn gives up its least important units, the
 * layers that read them make good for them as far as second moments tell, and the outputs are compared with the model's
 * own.
 *
 * Elimination tells channels of one group apart; this tells groups apart, which no figure of a single layer can: a layer
 * of little energy may carry what an output is about.
 */
import type { Evaluator } from "../../evaluator.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import type { PassContext } from "../pass.ts";
import { eliminate } from "./eliminate.ts";
import type { PruneGroup } from "./groups.ts";
import { OutputLoss, TRIAL_ITEMS } from "./outputLoss.ts";
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
  const outputs = await OutputLoss.of(model, items, evaluator);
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
        // What nothing reads need not leave for a trial.
        const copy = outputs.copy();
        for (const { reader, linear } of reduced) await writeReader(copy, reader, linear.weights);
        const error = await outputs.of(copy);
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
