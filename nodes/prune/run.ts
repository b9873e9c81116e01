import { cloneModel } from "../../onnx/cloneModel.ts";
import { modelCost } from "../../onnx/cost.ts";
import { inferShapes } from "../../onnx/infer.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import { outputDifference } from "../../onnx/passes/outputDifference.ts";
import { runPasses } from "../../onnx/passes/pass.ts";
import { PruneError } from "../../onnx/passes/prune/cut.ts";
import { prepareForPruning } from "../../onnx/passes/prune/prune.ts";
import { PruneRefusal } from "../../onnx/passes/prune/pruneRefusal.ts";
import { NoEstimateError } from "../../targets/latency.ts";
import { type Report, type RunContext, UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import { feedsOf } from "../streams.ts";
import { accuracyNotes } from "./accuracyNotes.ts";
import { cutChannels } from "./channels.ts";
import { collectItems, type FitItems, likenessNotes } from "./items.ts";
import { latencyNotes, latencyOf, predict, sizeNotes } from "./latency.ts";
import type { Findings, PruneReport } from "./report.ts";
import { requireFinite } from "./requireFinite.ts";
import { requireFloat } from "./requireFloat.ts";
import { type PruneParams, prune } from "./schema.ts";
import { cutBlocks, cutRanks } from "./structure.ts";
import { zeroWeights } from "./zeros.ts";

export const run = implementNode(prune, async (ctx, { model: ref, tensors }, params) => {
  try {
    const [original, model] = [await ctx.artifacts.openModel(ref), await ctx.artifacts.openModel(ref)];
    requireFloat(original);
    const items = await collectItems(tensors, feedsOf(original));
    await requireFinite(original, items, ctx);
    const { findings, mask } = await change(model, params, items, ctx);
    const [before, after] = [costOf(original), costOf(model)];
    const saved = await ctx.artifacts.saveModel(model);
    const models = { reference: original, candidate: model };
    const heldBack = items.heldBack.length > 0 && {
      items: items.heldBack.length,
      outputs: await outputDifference(models, items.heldBack, ctx.evaluator, ctx.signal),
    };
    const latency = await latencyOf(ctx, { before: await asPrepared(original, ctx), after: { model, ref: saved } });
    const notes = [
      ...likenessNotes(items),
      ...findings.notes,
      ...sizeNotes(original, before.macs),
      ...latencyNotes(latency, findings.macsShare),
      ...accuracyNotes(heldBack || undefined, { method: params.method, items: items.fit.length }),
    ];
    for (const note of notes) ctx.warn(note);
    const report = {
      kind: "prune",
      version: 1,
      provenance: "computed",
      method: params.method,
      ...findings,
      notes,
      ...(before.macs !== undefined &&
        after.macs !== undefined && { macs: { before: before.macs, after: after.macs } }),
      parameters: { before: before.parameters, after: after.parameters },
      sizeBytes: { before: ref.size, after: saved.size },
      ...(latency && { latency }),
      ...(heldBack && { heldBack }),
    } satisfies PruneReport;
    return {
      model: saved,
      report: await ctx.artifacts.report(report),
      mask: await ctx.artifacts.report(mask),
    };
  } catch (error) {
    if (error instanceof PruneRefusal || error instanceof PruneError || error instanceof NoEstimateError)
      throw new UserError(error.code, error.message, error.fix, { cause: error });
    throw error;
  }
});

/** The original as it is pruned, so that the times tell what pruning gained, not what put an old file right. */
async function asPrepared(original: Model, ctx: RunContext) {
  const model = cloneModel(original);
  await runPasses(model, [prepareForPruning], ctx);
  return { model, ref: await ctx.artifacts.saveModel(model) };
}

/** Changes the model in place. */
async function change(
  model: Model,
  params: PruneParams,
  items: FitItems,
  ctx: RunContext,
): Promise<{ readonly findings: Findings; readonly mask: Report }> {
  const multiple = params.multiple || ctx.target.channelMultiple || USUAL_MULTIPLE;
  switch (params.method) {
    case "channels": {
      const fit = { fit: items.fit, predict: (candidate: Model) => predict(candidate, ctx.target) };
      return cutChannels(model, { ...params, multiple }, fit, ctx);
    }
    case "blocks":
      return cutBlocks(model, params, items, ctx);
    case "low-rank":
      return cutRanks(model, { ...params, multiple }, items, ctx);
    case "2:4":
    case "unstructured":
      return zeroWeights(model, { ...params, method: params.method }, items, ctx);
  }
}

/** Of a device that says nothing. */
const USUAL_MULTIPLE = 8;

function costOf(model: Model): { macs?: number; parameters: number } {
  inferShapes(model);
  return modelCost(model);
}
