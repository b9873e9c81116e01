/** The method `channels`: what the pass found, as the report tells it. */
import type { Model } from "../../onnx/ir/graph.ts";
import type { PassContext } from "../../onnx/passes/pass.ts";
import { type GroupPlan, NEAR } from "../../onnx/passes/prune/plan.ts";
import { type Prediction, pruneChannels } from "../../onnx/passes/prune/prune.ts";
import type { Report } from "../context.ts";
import type { FitItems } from "./items.ts";
import { channelMask } from "./mask.ts";
import { repairNotes, repairStatus, willRepair } from "./repairStatus.ts";
import type { Findings } from "./report.ts";

export interface ChannelParams {
  readonly macs: number;
  readonly latency: number;
  readonly importance: "auto" | "energy" | "l1" | "l2";
  readonly scope: "global" | "layer";
  readonly multiple: number;
  readonly repair: boolean;
}

/** Changes the model in place. `predict` says how long a model takes on the target. */
export async function cutChannels(
  model: Model,
  params: ChannelParams,
  { fit, predict }: Pick<FitItems, "fit"> & { readonly predict: (model: Model) => Prediction },
  ctx: PassContext,
): Promise<{ readonly findings: Findings; readonly mask: Report }> {
  const importance = params.importance === "auto" ? (fit.length > 0 ? "energy" : "l2") : params.importance;
  const setting = { wanted: params.repair, items: fit.length };
  const timed = params.latency < 1;
  const { scope, multiple } = params;
  const keep = timed ? { keep: params.latency, predict } : { keep: params.macs };
  const options = { ...keep, importance, scope, multiple, repair: willRepair(setting), items: fit };
  const outcome = await pruneChannels(model, options, ctx);
  const macsShare = outcome.macsBefore > 0 ? outcome.macsAfter / outcome.macsBefore : 1;
  const findings = {
    macsShare,
    importance,
    multiple,
    groups: layerEntries(outcome.groups),
    pinned: [...outcome.pinned],
    repair: repairStatus(setting, outcome.repaired),
    notes: [...(timed ? [] : goalNotes(macsShare, params, outcome.groups)), ...repairNotes(setting)],
  };
  return { findings, mask: channelMask(outcome) };
}

/** Why the goal is missed, where it is. */
export function goalNotes(
  share: number,
  { macs, multiple }: Pick<ChannelParams, "macs" | "multiple">,
  groups: readonly Pick<GroupPlan, "kept" | "step">[],
): readonly string[] {
  if (share <= macs && share >= macs - NEAR) return [];
  const missed = `${percent(share)} of the multiply-adds are left, not ${percent(macs)}`;
  const [canLeave, inSteps] = [groups.some(({ kept, step }) => kept > step), groups.some(({ step }) => step > 1)];
  if (share > macs && !canLeave) return [`${missed}: no more can leave.`];
  if (inSteps) return [`${missed}: channels leave by up to ${multiple}; a smaller multiple comes nearer.`];
  return [`${missed}: channels leave with all that hangs on them, and no cut that comes nearer was found.`];
}

/** One entry a layer: what it writes may lie in several groups (each half of a shuffle in its own). */
function layerEntries(plans: readonly GroupPlan[]): Findings["groups"] {
  const layers = new Map<string, { kept: number; channels: number; steps: boolean }>();
  for (const { group, kept, step } of plans) {
    const { name, units, width } = group;
    const entry = layers.get(name) ?? { kept: 0, channels: 0, steps: false };
    layers.set(name, entry);
    entry.kept += kept * width;
    entry.channels += units.length * width;
    entry.steps ||= units.length > step;
  }
  return [...layers].map(([name, { kept, channels, steps }]) => ({
    name,
    kept,
    channels,
    ...(kept === channels && { reason: steps ? DEARER : "too few channels for one step of the multiple" }),
  }));
}

const DEARER = "each of its channels is dearer for the work it saves than those that left";

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
