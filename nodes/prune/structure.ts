/** The methods `blocks` and `low-rank`, as the report tells them. */
import { inferShapes } from "../../onnx/infer.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import { type Pass, runPasses } from "../../onnx/passes/pass.ts";
import { type BlockOutcome, pruneBlocks } from "../../onnx/passes/prune/blocks.ts";
import { factorizeLayers, type LowRankOutcome } from "../../onnx/passes/prune/lowRank.ts";
import { prepareForPruning } from "../../onnx/passes/prune/prune.ts";
import { PruneRefusal } from "../../onnx/passes/prune/pruneRefusal.ts";
import type { Report, RunContext } from "../context.ts";
import type { FitItems } from "./items.ts";
import { blockMask, rankMask } from "./mask.ts";
import { repairNotes, repairStatus, willRepair } from "./repairStatus.ts";
import type { Findings } from "./report.ts";

export interface StructureParams {
  readonly macs: number;
  readonly multiple: number;
  readonly repair: boolean;
}

/** Changes the model in place. */
export async function cutBlocks(
  model: Model,
  { macs, repair }: StructureParams,
  { fit }: Pick<FitItems, "fit">,
  ctx: RunContext,
): Promise<{ readonly findings: Findings; readonly mask: Report }> {
  if (fit.length === 0) {
    throw new PruneRefusal(
      "needs-tensors",
      "what a block does is measured on inputs, and no tensors are wired",
      "Wire a preprocess into tensors.",
    );
  }
  const setting = { wanted: repair, items: fit.length };
  const outcome = await inPass(model, ctx, () =>
    pruneBlocks(model, { keep: macs, evaluator: ctx.evaluator, items: fit, repair: willRepair(setting) }, ctx),
  );
  const macsShare = shareOf(outcome);
  const blocks = outcome.blocks.map(({ node, macsShare, removed, loss }) => ({ node, macsShare, removed, loss }));
  const findings = {
    macsShare,
    blocks,
    ...NO_CHANNELS,
    repair: repairStatus(setting, outcome.repaired),
    notes: [...blockNotes(macsShare, macs), ...repairNotes(setting)],
  };
  return { findings, mask: blockMask(outcome) };
}

function blockNotes(share: number, macs: number): readonly string[] {
  const left = `${(100 * share).toFixed(1)} % of the multiply-adds are left`;
  return share > macs ? [`${left}: no further block can leave.`] : [`${left}: blocks leave whole.`];
}

/** Changes the model in place. */
export async function cutRanks(
  model: Model,
  { macs, multiple, repair }: StructureParams,
  { fit }: Pick<FitItems, "fit">,
  ctx: RunContext,
): Promise<{ readonly findings: Findings; readonly mask: Report }> {
  const setting = { wanted: repair, items: fit.length };
  const measured = fit.length > 0 ? { evaluator: ctx.evaluator, items: fit } : undefined;
  const outcome = await inPass(model, ctx, () =>
    factorizeLayers(model, { keep: macs, multiple, measured, repair: willRepair(setting) }, ctx),
  );
  const macsShare = shareOf(outcome);
  const short = macsShare > macs + 0.01;
  const note = `${(100 * macsShare).toFixed(1)} % of the multiply-adds are left: no layer has a lower rank to take.`;
  const findings = {
    macsShare,
    ranks: outcome.layers.map(({ node, rank, fullRank }) => ({ node, fullRank, ...(rank !== undefined && { rank }) })),
    ...NO_CHANNELS,
    repair: repairStatus(setting, outcome.repaired),
    notes: [...(short ? [note] : []), ...repairNotes(setting)],
  };
  return { findings, mask: rankMask(outcome) };
}

const NO_CHANNELS: Pick<Findings, "groups" | "pinned"> = { groups: [], pinned: [] };

function shareOf({ macsBefore, macsAfter }: BlockOutcome | LowRankOutcome): number {
  return macsBefore > 0 ? macsAfter / macsBefore : 1;
}

/** Prepares the model, and checks it behind the change. */
async function inPass<T>(model: Model, ctx: RunContext, change: () => Promise<T>): Promise<T> {
  const results: T[] = [];
  const pass: Pass = {
    name: "prune",
    async run() {
      inferShapes(model);
      results.push(await change());
      return { applied: {}, notes: [] };
    },
  };
  await runPasses(model, [prepareForPruning, pass], ctx);
  const [result] = results;
  if (result === undefined) throw new Error("the pass did not run");
  return result;
}
