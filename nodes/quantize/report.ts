/** What was quantized, how well each layer bears it, and what was left in float with the reason. */
import { z } from "zod";
import type { LeftInFloat } from "../../onnx/passes/quantize/layers.ts";
import type { QuantizeOptions, QuantizeResult } from "../../onnx/passes/quantize/quantize.ts";
import type { Report } from "../context.ts";

const keptLayer = z.object({ node: z.string(), opType: z.string(), reason: z.string() });

/** What the face reads of the report. */
export const quantizeReport = z.object({
  format: z.string(),
  layout: z.string(),
  bytesBefore: z.number(),
  bytesAfter: z.number(),
  /** How the SQNR came about. */
  sqnr: z.enum(["measured", "predicted"]),
  /** SQNR of the model's outputs, where measured. */
  outputs: z.record(z.string(), z.object({ sqnrDb: z.number() })).optional(),
  /** Worst first; without a figure where there is no error, or none is known. */
  layers: z.array(z.object({ node: z.string(), opType: z.string(), bits: z.number(), sqnrDb: z.number().optional() })),
  keptFloat: z.array(keptLayer),
  notQuantized: z.array(z.object({ opType: z.string(), reason: z.string(), count: z.number() })),
});
export type QuantizeReport = z.infer<typeof quantizeReport>;

export interface Findings {
  readonly params: QuantizeOptions;
  readonly sizes: { readonly before: number; readonly after: number };
  /** Measured SQNR by tensor, dB; empty where no tensors were wired. */
  readonly sqnr: ReadonlyMap<string, number>;
  readonly outputs: readonly string[];
  /** Frames it was measured on. */
  readonly frames: number;
}

export function quantizationReport(result: QuantizeResult, findings: Findings): Report {
  const { params, sizes, sqnr, outputs, frames } = findings;
  const measured = sqnr.size > 0;
  const layers = result.layers.map(({ node, opType, bits, output, predictedSqnrDb }) => {
    const sqnrDb = measured ? sqnr.get(output) : predictedSqnrDb;
    return { node, opType, bits, ...(sqnrDb !== undefined && { sqnrDb }) };
  });
  return {
    kind: "quantize",
    version: 1,
    provenance: measured ? "measured" : "estimated",
    format: params.format,
    layout: params.layout,
    bytesBefore: sizes.before,
    bytesAfter: sizes.after,
    sqnr: measured ? ("measured" as const) : ("predicted" as const),
    ...(measured && { frames, outputs: outputErrors(outputs, sqnr) }),
    layers: layers.sort((a, b) => (a.sqnrDb ?? Number.POSITIVE_INFINITY) - (b.sqnrDb ?? Number.POSITIVE_INFINITY)),
    keptFloat: [...result.kept],
    notQuantized: byReason(result.left),
    rewrites: result.upgraded,
  } satisfies Report & QuantizeReport;
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
