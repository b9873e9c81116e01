import type { Model } from "../../onnx/ir/graph.ts";
import { implementNode } from "../define.ts";
import type { ArtifactRef } from "../ports.ts";
import { firstItems, seededItems } from "./comparedItems.ts";
import { Judge } from "./judge.ts";
import { censusOf, describeSimplify, warningsOf } from "./report.ts";
import { simplify } from "./schema.ts";
import { soundRewrites } from "./soundRewrites.ts";

export const run = implementNode(simplify, async (ctx, { model: ref, tensors }, { opset }) => {
  const original = await ctx.artifacts.openModel(ref);
  const items = tensors ? await firstItems(tensors, original) : seededItems(original);
  const given = Boolean(tensors);
  const judge = new Judge({ original, items, given, evaluator: ctx.evaluator, signal: ctx.signal });
  const saves = new Map<Model, Promise<ArtifactRef<"model">>>([[original, Promise.resolve(ref)]]);
  const save = (model: Model) => {
    const saving = saves.get(model) ?? ctx.artifacts.saveModel(model);
    saves.set(model, saving);
    return saving;
  };
  // Compared while the disk takes it.
  const expect = (model: Model) => void save(model).catch(() => {});
  const { model, result, verdict, leftOut } = await soundRewrites({ original, opset, judge, ctx, expect });
  const saved = await save(model);
  const warnings = warningsOf(verdict, leftOut);
  for (const warning of warnings) ctx.warn(warning);
  const report = describeSimplify({
    before: censusOf(original),
    after: censusOf(model),
    sizeBytes: { before: ref.size, after: saved.size },
    result,
    leftOut,
    warnings,
    ...(verdict.kind === "same" && {
      difference: { on: tensors ? "tensors" : "noise", items: items.length, outputs: verdict.outputs },
    }),
  });
  return { model: saved, report: await ctx.artifacts.report(report) };
});
