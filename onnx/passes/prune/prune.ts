/**
 * Structured pruning: takes whole channels out of a model until a share of its multiply-accumulates is left, and, where
 * calibration items are at hand, refits the layers behind to what the original computed.
 */
import type { Evaluator } from "../../evaluator.ts";
import { inferShapes } from "../../infer.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { type Pass, type PassContext, runPasses } from "../pass.ts";
import { foldShapes } from "../simplify/constantFolding.ts";
import { dropDeadNodes } from "../simplify/deadNodes.ts";
import { constantsToInitializers, inputsToConstants } from "../simplify/initializers.ts";
import { constantReshapeTargets } from "../simplify/shapes.ts";
import { simplify } from "../simplify/simplify.ts";
import { cutUnits, type Remainder } from "./cut.ts";
import { extract } from "./extract.ts";
import { type PinnedAxis, type PruneGroup, solveDependencies } from "./groups.ts";
import { magnitudeScores } from "./importance.ts";
import { type GroupPlan, planCut, type RankedGroup } from "./plan.ts";
import { PruneRefusal } from "./pruneRefusal.ts";
import { type RepairedLayer, repair } from "./repair.ts";
import { measureLosses } from "./sensitivity.ts";

export type Importance = "l1" | "l2" | "energy";

export interface PruneOptions {
  /** Share of the multiply-accumulates to keep, above 0, at most 1. */
  readonly macs: number;
  readonly importance: Importance;
  /** Channels left are a multiple of this where they can be. */
  readonly multiple: number;
  /** Refit the layers behind what was taken out. */
  readonly repair: boolean;
  /** Inputs of the model to measure on; needed for `energy` and for repair. */
  readonly items: readonly HostTensors[];
}

export interface PruneOutcome {
  readonly groups: readonly GroupPlan[];
  /** Layers whose output channels stay, with the reason. */
  readonly pinned: readonly PinnedAxis[];
  readonly macsBefore: number;
  readonly macsAfter: number;
  readonly repaired: readonly RepairedLayer[];
}

/** Constants in one form and no sizes computed at run time: what couplings are read from. */
export const prepareForPruning = simplify([
  constantsToInitializers,
  inputsToConstants,
  foldShapes,
  constantReshapeTargets,
  dropDeadNodes,
]);

/** Changes the model in place. Throws `PruneRefusal` where nothing can be pruned. */
export async function pruneChannels(model: Model, options: PruneOptions, ctx: PassContext): Promise<PruneOutcome> {
  await runPasses(model, [prepareForPruning], ctx);
  inferShapes(model);
  const { groups, pinned } = solveDependencies(model);
  if (groups.length === 0) {
    throw new PruneRefusal(
      "nothing-to-prune",
      `no channel of this model can be taken out: ${pinned[0]?.reason ?? "it has no layer with constant weights"}`,
      "Run simplify first, freeze dynamic dimensions in load-model, or leave pruning out.",
    );
  }
  const ranked = await rankGroups(model, groups, options, ctx);
  const plan = planCut(model.graph, ranked, options);
  const removed = plan.groups.flatMap((group) => group.removed);
  const original = extract(
    model,
    model.graph.outputs.map((value) => value.name),
  );
  let repaired: readonly RepairedLayer[] = [];
  const cutAndRepair: Pass = {
    name: "prune",
    async run() {
      const rest = await cutUnits(model, removed);
      if (options.repair && removed.length > 0) repaired = await repairAll(original, model, rest, { options, ctx });
      return { applied: { "remove-units": removed.length, "refit-layers": repaired.length }, notes: [] };
    },
  };
  await runPasses(model, [cutAndRepair], ctx);
  return { groups: plan.groups, pinned, macsBefore: plan.macsBefore, macsAfter: plan.macsAfter, repaired };
}

function repairAll(
  original: Model,
  pruned: Model,
  rest: Remainder,
  { options, ctx }: { options: PruneOptions; ctx: PassContext },
): Promise<readonly RepairedLayer[]> {
  const kept = (name: string, axis: number) => {
    const value = pruned.graph.values.get(name);
    return value && rest.indices({ value, axis });
  };
  return repair(original, pruned, { evaluator: evaluatorOf(ctx), items: options.items, kept }, ctx);
}

/** With items at hand, what the outputs lose with each group is measured. */
async function rankGroups(
  model: Model,
  groups: readonly PruneGroup[],
  options: PruneOptions,
  ctx: PassContext,
): Promise<readonly RankedGroup[]> {
  const { items, importance, multiple, repair: refit } = options;
  if (importance !== "energy") return magnitudeScores(groups, importance);
  return measureLosses(model, groups, { evaluator: evaluatorOf(ctx), items, multiple, refit }, ctx);
}

export function evaluatorOf(ctx: PassContext): Evaluator {
  if (ctx.evaluator) return ctx.evaluator;
  throw new PruneRefusal("no-evaluator", "measuring activations needs a runtime", "Run this where onnxruntime is.");
}
