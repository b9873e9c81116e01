/** What a user must hear: a loss that will show, or that nobody looked. Each with what to do. */
import type { Format } from "../../onnx/passes/quantize/format.ts";
import type { Findings } from "./report.ts";

/** Outputs that keep less than this lose visibly. */
const VISIBLE_LOSS_DB = 10;

export function warningsOf({ params, outputs, measured, ranges }: Findings): string[] {
  const { format, minSqnrDb } = params;
  if (!measured) return format === "fp16" || format === "bf16" ? [] : [unmeasured(format, ranges?.method)];
  const figures = outputs.flatMap((name) => measured.sqnr.get(name) ?? []);
  const worst = Math.min(...figures);
  if (!(worst < VISIBLE_LOSS_DB)) return [];
  const fixes = [
    ...(minSqnrDb < VISIBLE_LOSS_DB ? [`raise minSqnrDb to ${VISIBLE_LOSS_DB}`] : []),
    ...(ranges && ranges.method !== "auto" ? [`set calibrate's method to auto (it is ${ranges.method})`] : []),
    ...ways[format],
  ];
  return [
    `Expect a visible loss: the worst output keeps ${worst.toFixed(1)} dB, ${format === "bf16" ? "simulated" : "measured"} on ${measured.frames} frame(s). To mend it, ${fixes.join(", or ")}; evaluate before you use the model.`,
  ];
}

const ways: Record<Format, readonly string[]> = {
  int8: ["keep the layers with the least SQNR in float"],
  "int8-dynamic": ["calibrate and choose the format int8"],
  int4: ["choose the format int8", "take smaller blocks"],
  fp16: ["keep the layers with the least SQNR in float"],
  bf16: ["choose the format fp16, whose numbers are eight times finer", "keep the layers with the least SQNR in float"],
};

function unmeasured(format: Format, method: string | undefined): string {
  const ranges = method === "auto" ? " The ranges were chosen by mse unseen." : "";
  const form = format === "int4" ? "the weights' own rounding" : "each layer by itself";
  return `Nothing was measured: the figures predict ${form} and say little of the outputs, where the errors of all layers meet.${ranges} Wire preprocessed images into tensors, and quantize chooses by what it measures.`;
}
