/** What was quantized, how well each layer bears it, and what was left in float with the reason. */
import type { LeftInFloat } from "../../onnx/passes/quantize/layers.ts";
import type { QuantizeOptions, QuantizeResult } from "../../onnx/passes/quantize/quantize.ts";
import type { Report } from "../context.ts";

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
    sqnr: measured ? "measured" : "predicted",
    ...(measured && {
      frames,
      outputs: Object.fromEntries(
        outputs.flatMap((name) => (sqnr.has(name) ? [[name, { sqnrDb: sqnr.get(name) }]] : [])),
      ),
    }),
    layers: layers.sort((a, b) => (a.sqnrDb ?? Infinity) - (b.sqnrDb ?? Infinity)),
    keptFloat: result.kept,
    notQuantized: byReason(result.left),
    rewrites: result.upgraded,
  };
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
