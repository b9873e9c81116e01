import { modelCost } from "../../onnx/cost.ts";
import { inferShapes } from "../../onnx/infer.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import { outputDifference } from "../../onnx/passes/outputDifference.ts";
import { type Pass, runPasses } from "../../onnx/passes/pass.ts";
import { PruneError } from "../../onnx/passes/prune/cut.ts";
import { prepareForPruning } from "../../onnx/passes/prune/prune.ts";
import { PruneRefusal } from "../../onnx/passes/prune/pruneRefusal.ts";
import { MOMENT_ITEMS, spread } from "../../onnx/passes/prune/sensitivity.ts";
import { pruneWeights, type SparseLayer } from "../../onnx/passes/prune/unstructured.ts";
import { type RunContext, UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import { feedsOf } from "../streams.ts";
import { accuracyNotes } from "./accuracyNotes.ts";
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
        : await zeroWeights(original, model, { sparsity: params.sparsity, items: items.fit }, ctx);
    const after = costOf(model);
    const saved = await ctx.artifacts.saveModel(model);
    const models = { reference: original, candidate: model };
    const heldBack = items.heldBack.length > 0 && {
      items: items.heldBack.length,
      outputs: await outputDifference(models, items.heldBack, ctx.evaluator, ctx.signal),
    };
    const notes = [...findings.notes, ...accuracyNotes(heldBack || undefined, params.method)];
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

interface ZeroOptions {
  readonly sparsity: number;
  readonly items: readonly HostTensors[];
}

async function zeroWeights(original: Model, model: Model, { sparsity, items }: ZeroOptions, ctx: RunContext) {
  let sparse: readonly SparseLayer[] = [];
  const zero: Pass = {
    name: "zero-weights",
    async run() {
      inferShapes(model);
      const measured = items.length > 0 ? { evaluator: ctx.evaluator, items: spread(items, MOMENT_ITEMS) } : undefined;
      sparse = await pruneWeights(model, { sparsity, measured }, ctx);
      return { applied: { "zero-weights": sparse.length }, notes: [] };
    },
  };
  await runPasses(model, [prepareForPruning, zero], ctx);
  const deflated = { before: await deflatedBytes(original), after: await deflatedBytes(model) };
  return {
    macsShare: 1,
    sparse: [...sparse],
    deflatedBytes: deflated,
    groups: [],
    pinned: [],
    repair: { status: "skipped" as const, reason: "it repairs channels only", items: 0, layers: [] },
    notes: ["Zeros make the file smaller when it is compressed, not the model faster: shapes stay as they are."],
  };
}
