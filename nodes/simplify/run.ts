import { DataType } from "../../onnx/ir/dataType.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import { outputDifference } from "../../onnx/passes/outputDifference.ts";
import { runPasses } from "../../onnx/passes/pass.ts";
import { simplify as simplifyPass } from "../../onnx/passes/simplify/simplify.ts";
import { implementNode } from "../define.ts";
import type { Stream, TensorItem } from "../ports.ts";
import { feedsFor, feedsOf } from "../streams.ts";
import { censusOf, describeSimplify } from "./report.ts";
import { simplify } from "./schema.ts";

/** Enough to see a wrong rewrite; the streams behind may be long. */
const COMPARED_ITEMS = 4;
/** Above this the rewrites changed more than the order of sums can. */
const SUSPICIOUS = 1e-4;

export const run = implementNode(simplify, async (ctx, { model: ref, tensors }) => {
  const [original, model] = [await ctx.artifacts.openModel(ref), await ctx.artifacts.openModel(ref)];
  const before = censusOf(model);
  const [result] = await runPasses(model, [simplifyPass()], ctx);
  const saved = await ctx.artifacts.saveModel(model);
  const items = tensors ? await firstOf(tensors, original) : noiseFor(original);
  const models = { reference: original, candidate: model };
  const outputs = items.length > 0 ? await outputDifference(models, items, ctx.evaluator, ctx.signal) : undefined;
  for (const [name, { relative }] of Object.entries(outputs ?? {})) {
    if (!(relative <= SUSPICIOUS)) ctx.warn(`Output "${name}" differs by ${relative.toPrecision(2)} of its norm.`);
  }
  const report = describeSimplify({
    before,
    after: censusOf(model),
    sizeBytes: { before: ref.size, after: saved.size },
    result: result ?? { applied: {}, notes: [] },
    ...(outputs && { difference: { on: tensors ? "tensors" : "noise", items: items.length, outputs } }),
  });
  return { model: saved, report: await ctx.artifacts.report(report) };
});

async function firstOf(tensors: Stream<TensorItem>, model: Model): Promise<HostTensors[]> {
  const items: HostTensors[] = [];
  for await (const item of tensors) {
    items.push(feedsFor(item, feedsOf(model)));
    if (items.length === COMPARED_ITEMS) break;
  }
  return items;
}

/** One item of values in 0..1 from a fixed seed; none where an input is not f32 of a fixed shape. */
function noiseFor(model: Model): HostTensors[] {
  const feeds: Record<string, HostTensors[string]> = {};
  let state = 1;
  for (const { name, type } of model.graph.feeds) {
    const dims = type?.shape?.filter((dim) => typeof dim === "number");
    if (type?.elemType !== DataType.FLOAT || !dims || dims.length !== type.shape?.length) return [];
    const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
    for (const i of data.keys()) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      data[i] = state / 2 ** 32;
    }
    feeds[name] = { dataType: type.elemType, dims, data };
  }
  return [feeds];
}
