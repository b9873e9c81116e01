import { modelCost } from "../../onnx/cost.ts";
import { inferShapes } from "../../onnx/infer.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import { outputDifference } from "../../onnx/passes/outputDifference.ts";
import { type PassContext, runPasses } from "../../onnx/passes/pass.ts";
import { PruneError } from "../../onnx/passes/prune/cut.ts";
import { prepareForPruning } from "../../onnx/passes/prune/prune.ts";
import { PruneRefusal } from "../../onnx/passes/prune/pruneRefusal.ts";
import { pruneWeights } from "../../onnx/passes/prune/unstructured.ts";
import { UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import { feedsOf } from "../streams.ts";
import { cutChannels } from "./channels.ts";
import { deflatedBytes } from "./deflatedBytes.ts";
import { collectItems } from "./items.ts";
import type { PruneReport } from "./report.ts";
import { prune } from "./schema.ts";

export const run = implementNode(prune, async (ctx, { model: ref, tensors }, params) => {
  try {
    const [original, model] = [await ctx.artifacts.openModel(ref), await ctx.artifacts.openModel(ref)];
    const items = await collectItems(tensors, feedsOf(original));
    const before = costOf(original);
    const findings =
      params.method === "channels"
        ? await cutChannels(model, params, items, ctx)
        : await zeroWeights(original, model, params.sparsity, ctx);
    const after = costOf(model);
    const saved = await ctx.artifacts.saveModel(model);
    const models = { reference: original, candidate: model };
    const heldBack = items.heldBack.length > 0 && {
      items: items.heldBack.length,
      outputs: await outputDifference(models, items.heldBack, ctx.evaluator, ctx.signal),
    };
    for (const note of findings.notes) ctx.warn(note);
    const report = {
      kind: "prune",
      version: 1,
      provenance: "computed",
      method: params.method,
      ...findings,
      ...(before.macs !== undefined &&
        after.macs !== undefined && { macs: { before: before.macs, after: after.macs } }),
      parameters: { before: before.parameters, after: after.parameters },
      sizeBytes: { before: ref.size, after: saved.size },
      ...(heldBack && { heldBack }),
    } satisfies PruneReport;
    return { model: saved, report: await ctx.artifacts.report(report) };
  } catch (error) {
    if (!(error instanceof PruneRefusal || error instanceof PruneError)) throw error;
    throw new UserError(error.code, error.message, error.fix, { cause: error });
  }
});

function costOf(model: Model): { macs?: number; parameters: number } {
  inferShapes(model);
  return modelCost(model);
}

async function zeroWeights(original: Model, model: Model, sparsity: number, ctx: PassContext) {
  await runPasses(model, [prepareForPruning], ctx);
  const sparse = [...(await pruneWeights(model, sparsity, ctx))];
  const deflated = { before: await deflatedBytes(original), after: await deflatedBytes(model) };
  return {
    macsShare: 1,
    sparse,
    deflatedBytes: deflated,
    groups: [],
    pinned: [],
    repair: { status: "skipped" as const, reason: "it repairs channels only", items: 0, layers: [] },
    notes: ["Zeros make the file smaller when it is compressed, not the model faster: shapes stay as they are."],
  };
}
