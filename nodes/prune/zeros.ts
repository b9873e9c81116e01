/** The methods `unstructured` and `2:4`: weights become zero, shapes stay. */
import { inferShapes } from "../../onnx/infer.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import { type Pass, runPasses } from "../../onnx/passes/pass.ts";
import { prepareForPruning } from "../../onnx/passes/prune/prune.ts";
import { MOMENT_ITEMS, spread } from "../../onnx/passes/prune/sensitivity.ts";
import { pruneTwoOfFour } from "../../onnx/passes/prune/twoOfFour.ts";
import { pruneWeights, type SparseLayer } from "../../onnx/passes/prune/unstructured.ts";
import type { Report, RunContext } from "../context.ts";
import { deflatedBytes } from "./deflatedBytes.ts";
import type { FitItems } from "./items.ts";
import { zeroMask } from "./mask.ts";
import type { Findings } from "./report.ts";

export interface ZeroParams {
  readonly method: "2:4" | "unstructured";
  readonly sparsity: number;
}

const NOTES = {
  unstructured: "Zeros make the file smaller when it is compressed, not the model faster: shapes stay as they are.",
  "2:4":
    "The pattern is for NVIDIA's sparse tensor cores (compute capability 8.0 and later; trtexec --sparsity=enable): no other device gets faster by it, and no speed is claimed here.",
};

/** Changes the model in place. */
export async function zeroWeights(
  model: Model,
  { method, sparsity }: ZeroParams,
  { fit }: Pick<FitItems, "fit">,
  ctx: RunContext,
): Promise<{ readonly findings: Findings; readonly mask: Report }> {
  const before = await deflatedBytes(model);
  let sparse: readonly SparseLayer[] = [];
  const zero: Pass = {
    name: "zero-weights",
    async run() {
      inferShapes(model);
      const measured = fit.length > 0 ? { evaluator: ctx.evaluator, items: spread(fit, MOMENT_ITEMS) } : undefined;
      sparse =
        method === "2:4"
          ? await pruneTwoOfFour(model, measured, ctx)
          : await pruneWeights(model, { sparsity, measured }, ctx);
      return { applied: { "zero-weights": sparse.length }, notes: [] };
    },
  };
  await runPasses(model, [prepareForPruning, zero], ctx);
  const findings: Findings = {
    macsShare: 1,
    sparse: [...sparse],
    deflatedBytes: { before, after: await deflatedBytes(model) },
    groups: [],
    pinned: [],
    repair: {
      status: "skipped",
      reason: fit.length > 0 ? "each layer makes good for its own zeros" : "no tensors are wired to refit on",
      items: 0,
      layers: [],
    },
    notes: [NOTES[method]],
  };
  return { findings, mask: await zeroMask(model, { method, sparse }) };
}
