/** What was quantized, how well each layer bears it, and what was left in float with the reason. */
import { z } from "zod";
import { CANDIDATE_METHODS } from "../../onnx/passes/calibrate/table.ts";
import type { LeftInFloat } from "../../onnx/passes/quantize/layers.ts";
import type { QuantizeOptions, QuantizeResult } from "../../onnx/passes/quantize/quantize.ts";
import type { TriedMethod, TriedStep } from "../../onnx/passes/quantize/refineInt8.ts";
import type { Report } from "../context.ts";
import { warningsOf } from "./warnings.ts";

const keptLayer = z.object({ node: z.string(), opType: z.string(), reason: z.string() });

const layerReport = z.object({
  node: z.string(),
  opType: z.string(),
  bits: z.number(),
  /** What the layer would keep if it alone were quantized; predicted, or measured at the outputs. */
  ownSqnrDb: z.number().optional(),
  /** What the layer's output kept in the quantized model, measured: the errors of all layers before it are in it. */
  cumulativeSqnrDb: z.number().optional(),
  /** Why it has more bits than the others. */
  note: z.string().optional(),
});
export type LayerReport = z.infer<typeof layerReport>;

/** What the face reads of the report. */
export const quantizeReport = z.object({
  format: z.string(),
  layout: z.string(),
  bytesBefore: z.number(),
  bytesAfter: z.number(),
  /** Whether outputs and layers were measured, measured on a simulation (BF16), or the layers predicted alone. */
  sqnr: z.enum(["measured", "simulated", "predicted"]),
  /** Where it can run, and where not, for a format that few runtimes know. */
  runsOn: z.string().optional(),
  /** How the activations' ranges were chosen; with what each way measured, best first, where there was a choice. */
  ranges: z
    .object({
      method: z.string(),
      /** Without a figure where the outputs came out equal. */
      tried: z.array(z.object({ method: z.string(), sqnrDb: z.number().optional() })).optional(),
    })
    .optional(),
  /** What was tried to make it truer, in order, with what the outputs kept without and with it; what helped was kept. */
  steps: z
    .array(z.object({ step: z.string(), beforeDb: z.number(), afterDb: z.number(), kept: z.boolean() }))
    .optional(),
  /** SQNR of the model's outputs, where measured, on frames that no choice was made by where there were enough. */
  outputs: z.record(z.string(), z.object({ sqnrDb: z.number() })).optional(),
  /** Worst first, by the cumulative figure where there is one. */
  layers: z.array(layerReport),
  keptFloat: z.array(keptLayer),
  notQuantized: z.array(z.object({ opType: z.string(), reason: z.string(), count: z.number() })),
  /** What a user must know before going on. */
  warnings: z.array(z.string()),
});
export type QuantizeReport = z.infer<typeof quantizeReport>;

export interface Findings {
  readonly params: Pick<QuantizeOptions, "format" | "layout" | "minSqnrDb">;
  readonly sizes: { readonly before: number; readonly after: number };
  readonly outputs: readonly string[];
  /** SQNR by tensor, dB; undefined where no tensors were wired. */
  readonly measured: { readonly sqnr: ReadonlyMap<string, number>; readonly frames: number } | undefined;
  readonly steps?: readonly TriedStep[] | undefined;
  readonly ranges: { readonly method: string; readonly tried?: readonly TriedMethod[] | undefined } | undefined;
}

/** For sorting: what has no figure has no error. */
export function worstFigure({ cumulativeSqnrDb, ownSqnrDb }: LayerReport): number {
  return cumulativeSqnrDb ?? ownSqnrDb ?? Number.POSITIVE_INFINITY;
}

const BF16_RUNS_ON =
  "TensorRT on compute capability 8.0 and newer; not ONNX Runtime's CPU, which has no BF16 form of Conv, MatMul or Add";

export function quantizationReport(result: QuantizeResult, findings: Findings): Report & QuantizeReport {
  const { params, sizes, measured, outputs, ranges, steps } = findings;
  const layers = result.layers.map(({ node, opType, bits, output, ownSqnrDb, note }): LayerReport => {
    const cumulativeSqnrDb = measured?.sqnr.get(output);
    return {
      node,
      opType,
      bits,
      ...(ownSqnrDb !== undefined && { ownSqnrDb }),
      ...(cumulativeSqnrDb !== undefined && { cumulativeSqnrDb }),
      ...(note !== undefined && { note }),
    };
  });
  const seen = params.format === "bf16" ? "simulated" : "measured";
  return {
    kind: "quantize",
    version: 1,
    provenance: measured ? seen : "estimated",
    format: params.format,
    layout: params.layout,
    bytesBefore: sizes.before,
    bytesAfter: sizes.after,
    sqnr: measured ? seen : "predicted",
    ...(params.format === "bf16" && { runsOn: BF16_RUNS_ON }),
    ...(ranges && { ranges: rangesReport(ranges) }),
    // Where the outputs are equal already there is nothing to make truer.
    ...(steps && { steps: steps.filter((s) => Number.isFinite(s.beforeDb) && Number.isFinite(s.afterDb)) }),
    ...(measured && { frames: measured.frames, outputs: outputErrors(outputs, measured.sqnr) }),
    layers: layers.sort((a, b) => worstFigure(a) - worstFigure(b)),
    keptFloat: [...result.kept],
    notQuantized: byReason(result.left),
    warnings: warningsOf(findings),
    rewrites: result.upgraded,
  };
}

function rangesReport({ method, tried }: NonNullable<Findings["ranges"]>) {
  // Without images to choose by, `auto` stands for its first candidate.
  const used = tried?.[0]?.method ?? (method === "auto" ? CANDIDATE_METHODS[0] : method);
  const told = tried?.map(({ method: way, sqnrDb }) => ({ method: way, ...(Number.isFinite(sqnrDb) && { sqnrDb }) }));
  return { method: used, ...(told && { tried: told }) };
}

function outputErrors(outputs: readonly string[], sqnr: ReadonlyMap<string, number>) {
  const errors: Record<string, { sqnrDb: number }> = {};
  for (const name of outputs) {
    const sqnrDb = sqnr.get(name);
    if (sqnrDb !== undefined) errors[name] = { sqnrDb };
  }
  return errors;
}

/** One line for each operator and reason, with how many nodes it holds for. */
function byReason(left: readonly LeftInFloat[]) {
  const groups = new Map<string, { opType: string; reason: string; count: number }>();
  for (const { opType, reason } of left) {
    const key = `${opType}\n${reason}`;
    const group = groups.get(key) ?? { opType, reason, count: 0 };
    group.count++;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}
