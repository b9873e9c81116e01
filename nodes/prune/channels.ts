/** The method `channels`: what the pass found, as the report tells it. */
import type { Model } from "../../onnx/ir/graph.ts";
import type { PassContext } from "../../onnx/passes/pass.ts";
import type { GroupPlan } from "../../onnx/passes/prune/plan.ts";
import { pruneChannels } from "../../onnx/passes/prune/prune.ts";
import type { FitItems } from "./items.ts";
import type { PruneReport } from "./report.ts";

export interface ChannelParams {
  readonly macs: number;
  readonly importance: "auto" | "energy" | "l1" | "l2";
  readonly multiple: number;
  readonly repair: boolean;
}

/** Below this a refit hangs on chance. */
const FEW_ITEMS = 8;

/** Changes the model in place. */
export async function cutChannels(
  model: Model,
  params: ChannelParams,
  { fit }: FitItems,
  ctx: PassContext,
): Promise<Pick<PruneReport, "macsShare" | "importance" | "groups" | "pinned" | "repair" | "notes">> {
  const auto = fit.length > 0 ? "energy" : "l2";
  const importance = params.importance === "auto" ? auto : params.importance;
  const repair = params.repair && fit.length > 0;
  const outcome = await pruneChannels(model, { ...params, importance, repair, items: fit }, ctx);
  const macsShare = outcome.macsBefore > 0 ? outcome.macsAfter / outcome.macsBefore : 1;
  const notes: string[] = [];
  if (macsShare > params.macs) {
    notes.push(
      `${percent(macsShare)} of the multiply-adds are left, not ${percent(params.macs)}: nothing more can be taken out.`,
    );
  }
  if (repair && fit.length < FEW_ITEMS) notes.push(`Repaired on ${fit.length} item(s) only: wire more, 40 serve well.`);
  return {
    macsShare,
    importance,
    groups: layerEntries(outcome.groups),
    pinned: [...outcome.pinned],
    repair: {
      status: repair ? "done" : "skipped",
      ...(!repair && { reason: params.repair ? "no tensors are wired to refit on" : "repair is off" }),
      items: repair ? fit.length : 0,
      layers: [...outcome.repaired],
    },
    notes,
  };
}

/** One entry a layer: what it writes may lie in several groups (each half of a shuffle in its own). */
function layerEntries(plans: readonly GroupPlan[]): PruneReport["groups"] {
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
