/** The front of an autotune, and what was chosen of it. */
import { z } from "zod";
import type { Autotuned, Point } from "../../onnx/passes/place/autotune.ts";
import { frontOf } from "../../onnx/passes/place/front.ts";
import type { Report } from "../context.ts";

const finite = z.number().optional();

const pointReport = z.object({
  id: z.string(),
  /** Of the given model's time over this one's. */
  speedup: z.number(),
  ms: z.number(),
  sizeShare: z.number(),
  /** Of the worst output; absent where the outputs are equal. */
  sqnrDb: z.number().optional(),
  lossPercent: z.number(),
  /** Standard error of the loss. */
  lossError: z.number(),
  mAP: z.number().optional(),
  /** Layers in integers, with their weight alone in 8 bits, and in float. */
  layers: z.object({ int8: z.number(), weights: z.number(), float: z.number() }),
  /** The parameter that takes this point. */
  take: z.array(z.string()),
});
export type PointReport = z.infer<typeof pointReport>;

/** What the face reads of the report. */
export const autotuneReport = z.object({
  kind: z.literal("autotune"),
  layout: z.string(),
  provenance: z.enum(["measured", "estimated"]),
  objective: z.string(),
  /** What lossPercent is a share of. */
  lossOf: z.string(),
  /** Points that no other beats in speed, truth and size; fastest first. */
  front: z.array(pointReport),
  /** Measured too, and beaten. */
  beaten: z.array(pointReport),
  chosen: pointReport,
  rewrites: z.array(z.object({ rewrite: z.string(), count: z.number(), speedup: z.number(), kept: z.boolean() })),
  ranges: z.array(z.object({ method: z.string(), sqnrDb: z.number().optional() })),
  /** Ways to make the integers truer: what the outputs kept without and with each, dB. */
  steps: z.array(z.object({ step: z.string(), beforeDb: finite, afterDb: finite, kept: z.boolean() })),
  layers: z.array(z.object({ node: z.string(), opType: z.string(), form: z.enum(["int8", "weights"]) })),
  warnings: z.array(z.string()),
});
export type AutotuneReport = z.infer<typeof autotuneReport>;

export interface Outcome {
  readonly tuned: Autotuned;
  readonly chosen: Point;
  readonly layout: string;
  readonly objective: string;
  readonly lossOf: string;
  readonly provenance: "measured" | "estimated";
  readonly conditions: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

export function reportOf(outcome: Outcome): Report & AutotuneReport {
  const { tuned, chosen, layout, objective, lossOf, provenance, conditions, warnings } = outcome;
  const front = frontOf(tuned.points);
  return {
    kind: "autotune",
    version: 1,
    provenance,
    layout,
    objective,
    lossOf,
    front: front.map(figures),
    beaten: tuned.points.filter((point) => !front.includes(point)).map(figures),
    chosen: figures(chosen),
    rewrites: [...tuned.rewrites],
    ranges: tuned.methods.map(({ method, sqnrDb }) => ({ method, ...(Number.isFinite(sqnrDb) && { sqnrDb }) })),
    steps: tuned.steps.map(({ step, kept, beforeDb, afterDb }) => ({
      ...{ step, kept },
      ...(Number.isFinite(beforeDb) && { beforeDb }),
      ...(Number.isFinite(afterDb) && { afterDb }),
    })),
    layers: chosen.quantized.map(({ node, opType }) => ({
      node,
      opType,
      form: chosen.taken.integers.includes(node) ? "int8" : "weights",
    })),
    warnings: [...warnings],
    conditions,
  };
}

function figures({
  id,
  speedup,
  ms,
  sizeShare,
  sqnrDb,
  lossPercent,
  lossError,
  mAP,
  layers,
  taken,
}: Point): PointReport {
  return {
    id,
    speedup,
    ms,
    sizeShare,
    ...(sqnrDb !== undefined && { sqnrDb }),
    lossPercent,
    lossError,
    ...(mAP !== undefined && { mAP }),
    layers: { ...layers },
    take: [taken.form, ...taken.integers],
  };
}
