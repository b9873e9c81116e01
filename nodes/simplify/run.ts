import { cloneModel } from "../../onnx/cloneModel.ts";
import type { Evaluator } from "../../onnx/evaluator.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import { outputDifference } from "../../onnx/passes/outputDifference.ts";
import { type PassResult, runPasses } from "../../onnx/passes/pass.ts";
import { simplify as simplifyPass } from "../../onnx/passes/simplify/simplify.ts";
import { upgradeOpsetPass } from "../../onnx/passes/upgradeOpset.ts";
import type { RunContext } from "../context.ts";
import { implementNode } from "../define.ts";
import { firstItems, seededItems } from "./comparedItems.ts";
import { censusOf, describeSimplify } from "./report.ts";
import { simplify } from "./schema.ts";

/** Above this the rewrites changed more than the order of sums can. */
const SUSPICIOUS = 1e-4;

export const run = implementNode(simplify, async (ctx, { model: ref, tensors }, { opset }) => {
  const original = await ctx.artifacts.openModel(ref);
  const model = cloneModel(original);
  const before = censusOf(model);
  const upgrade = opset === 0 ? [] : [upgradeOpsetPass(opset)];
  const result = together(await runPasses(model, [...upgrade, simplifyPass()], ctx));
  // Compared while the disk takes it.
  const saving = ctx.artifacts.saveModel(model);
  saving.catch(() => {});
  const items = tensors ? await firstItems(tensors, original) : seededItems(original);
  const outputs = await compare(ctx, { reference: original, candidate: model }, { items, given: Boolean(tensors) });
  const saved = await saving;
  const report = describeSimplify({
    before,
    after: censusOf(model),
    sizeBytes: { before: ref.size, after: saved.size },
    result,
    ...(outputs && { difference: { on: tensors ? "tensors" : "noise", items: items.length, outputs } }),
  });
  return { model: saved, report: await ctx.artifacts.report(report) };
});

/** Rewrites of the operator set are told from simplifications by their pass's name. */
function together(results: readonly (PassResult & { readonly pass: string })[]): PassResult {
  const applied = results.flatMap(({ pass, applied }) =>
    Object.entries(applied).map(([rule, count]) => [pass === "simplify" ? rule : `${pass}: ${rule}`, count] as const),
  );
  return { applied: Object.fromEntries(applied), notes: results.flatMap(({ notes }) => notes) };
}

/** Undefined, and said, where there is nothing to compare on: a model may refuse values that were made up. */
async function compare(
  ctx: RunContext,
  models: { readonly reference: Model; readonly candidate: Model },
  { items, given }: { readonly items: readonly HostTensors[]; readonly given: boolean },
) {
  const unseen = (why: string) => ctx.warn(`Not compared with the original: ${why}. Wire tensors in to see it done.`);
  if (items.length === 0) {
    unseen(given ? "the stream is empty" : "no values can be made up for its inputs");
    return undefined;
  }
  try {
    const outputs = await outputDifference(models, items, asWritten(ctx.evaluator), ctx.signal);
    for (const [name, { relative }] of Object.entries(outputs)) {
      if (Number.isNaN(relative)) ctx.warn(`Output "${name}" holds a NaN or an infinity: it cannot be compared.`);
      else if (!(relative <= SUSPICIOUS))
        ctx.warn(`Output "${name}" differs by ${relative.toPrecision(2)} of its norm.`);
    }
    return outputs;
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (given || (await runs(ctx, models.reference, items))) throw error;
    unseen("it takes no made-up values of the sizes its inputs leave open");
    return undefined;
  }
}

/** The graphs themselves are compared, not what the runtime makes of them. */
function asWritten(evaluator: Evaluator): Evaluator {
  return { open: (model, options) => evaluator.open(model, { ...options, asWritten: true }) };
}

async function runs(ctx: RunContext, model: Model, items: readonly HostTensors[]): Promise<boolean> {
  try {
    await using session = await ctx.evaluator.open(model);
    for (const item of items) await session.run(item);
    return true;
  } catch {
    return false;
  }
}
