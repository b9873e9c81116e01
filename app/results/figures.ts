/**
 * The result strip's figures: before and after, of this pipeline on its target, each with its kind. The baseline is the
 * node whose id ends in `-fp32` (`profile-fp32`, `evaluate-fp32`), the candidate the one without. Absent stays unknown.
 */
import { z } from "zod";
import { isBaseline } from "./baseline.ts";

export interface Value {
  readonly value: number;
  readonly provenance: "measured" | "estimated";
  /** Lowest and highest likely value of an estimate. */
  readonly interval?: readonly [number, number];
}
export interface Figure {
  readonly id: "size" | "accuracy" | "latency" | "memory";
  readonly before: Value | undefined;
  readonly after: Value | undefined;
}
export interface ResultFigures {
  readonly figures: readonly Figure[];
  /** What the accuracy is: `mAP50`, `top-1`. */
  readonly accuracy: string;
  /** The largest share of the processor that other programs took while either side was timed; absent where untold. */
  readonly othersShare?: number;
  /** The candidate's processor time for one of the baseline's: what other programs disturb least. */
  readonly cpuRatio?: number;
}

const interval = z.tuple([z.number(), z.number()]);
const figure = z.number().optional().catch(undefined);
const profile = z.looseObject({
  kind: z.literal("profile"),
  provenance: z.string(),
  p50Ms: figure,
  cpuMs: figure,
  conditions: z.looseObject({ otherProcessesCpuShare: figure }).optional().catch(undefined),
  sizeBytes: figure,
  peakMemoryBytes: figure,
  interval: z.record(z.string(), z.unknown()).optional().catch(undefined),
});
const evaluation = z.looseObject({ kind: z.literal("evaluate"), mAP50: figure, top1: figure });

export type Reports = Readonly<Record<string, unknown>>;
type Side = "before" | "after";

/** `reports`: the JSON of each node's report, by node id. */
export function resultFigures(reports: Reports): ResultFigures {
  const profiles = sides(reports, profile);
  const evaluations = sides(reports, evaluation);
  const ranked = evaluations.after ?? evaluations.before;
  const key = ranked?.mAP50 === undefined && ranked?.top1 !== undefined ? "top1" : "mAP50";
  const pair = (id: Figure["id"], of: (side: Side) => Value | undefined): Figure => ({
    id,
    before: of("before"),
    after: of("after"),
  });
  const shares = [profiles.before, profiles.after].flatMap((p) => p?.conditions?.otherProcessesCpuShare ?? []);
  const [cpuBefore, cpuAfter] = [profiles.before?.cpuMs, profiles.after?.cpuMs];
  return {
    ...(shares.length > 0 && { othersShare: Math.max(...shares) }),
    ...(cpuBefore && cpuAfter && { cpuRatio: cpuAfter / cpuBefore }),
    accuracy: key === "top1" ? "top-1" : "mAP50",
    figures: [
      pair("size", (side) => exact(profiles[side]?.sizeBytes)),
      pair("accuracy", (side) => exact(evaluations[side]?.[key])),
      pair("latency", (side) => profileValue(profiles[side], "p50Ms")),
      pair("memory", (side) => profileValue(profiles[side], "peakMemoryBytes")),
    ],
  };
}

/** The first report of a kind on each side, in the order of ids. */
function sides<T>(reports: Reports, schema: z.ZodType<T>): Partial<Record<Side, T>> {
  const found: Partial<Record<Side, T>> = {};
  for (const id of Object.keys(reports).sort()) {
    const parsed = schema.safeParse(reports[id]);
    if (!parsed.success) continue;
    const side = isBaseline(id) ? "before" : "after";
    found[side] ??= parsed.data;
  }
  return found;
}

/** Counted or scored, on whatever machine. */
const exact = (value: number | undefined): Value | undefined =>
  value === undefined ? undefined : { value, provenance: "measured" };

function profileValue(
  report: z.infer<typeof profile> | undefined,
  key: "p50Ms" | "peakMemoryBytes",
): Value | undefined {
  const value = report?.[key];
  if (report === undefined || value === undefined) return undefined;
  if (report.provenance === "measured") return { value, provenance: "measured" };
  const range = interval.safeParse(report.interval?.[key]);
  return { value, provenance: "estimated", ...(range.success && { interval: range.data }) };
}
