/** What the run page draws, read out of reports of any version: what a report does not tell is absent, never 0. Pure. */
import { z } from "zod";
import { isBaseline } from "../results/baseline.ts";

const number = z.number();
const profileSchema = z.looseObject({
  kind: z.literal("profile"),
  provenance: z.string(),
  p50Ms: number.optional(),
  p90Ms: number.optional(),
  p99Ms: number.optional(),
  histogram: z
    .looseObject({ startMs: number, binMs: number, counts: z.array(number) })
    .optional()
    .catch(undefined),
  perOp: z
    .array(z.looseObject({ opType: z.string(), ms: number }))
    .optional()
    .catch(undefined),
});
export type ProfileFigures = z.infer<typeof profileSchema>;

const evaluateSchema = z.looseObject({
  kind: z.literal("evaluate"),
  provenance: z.string(),
  images: number.optional(),
  mAP: number.optional(),
  mAP50: number.optional(),
  top1: number.optional(),
  top5: number.optional(),
  perClass: z
    .record(z.string(), z.looseObject({ AP50: number.optional() }))
    .optional()
    .catch(undefined),
});
export type EvaluateFigures = z.infer<typeof evaluateSchema>;

const layersSchema = z.looseObject({
  layers: z
    .array(z.looseObject({ node: z.string(), ownSqnrDb: number.optional(), cumulativeSqnrDb: number.optional() }))
    .min(1),
  /** `measured`, `predicted` or `none`. */
  sqnr: z.string().optional(),
});

export interface Sides<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}
type Reports = Readonly<Record<string, unknown>>;

/** The first report that a schema reads on each side: ids ending in `-fp32` are the baseline. */
function sidesOf<T>(reports: Reports, schema: z.ZodType<T>): Sides<T> {
  const find = (baseline: boolean) =>
    Object.keys(reports)
      .sort()
      .filter((id) => isBaseline(id) === baseline)
      .map((id) => schema.safeParse(reports[id]))
      .find((parsed) => parsed.success)?.data;
  return { before: find(true), after: find(false) };
}

export const profiles = (reports: Reports): Sides<ProfileFigures> => sidesOf(reports, profileSchema);
export const evaluations = (reports: Reports): Sides<EvaluateFigures> => sidesOf(reports, evaluateSchema);

export interface LayerSqnr {
  readonly node: string;
  readonly sqnrDb: number;
}
export interface LayerNoise {
  readonly kind: "measured" | "predicted";
  /** Worst first. */
  readonly layers: readonly LayerSqnr[];
}

export function layerNoise(reports: Reports): LayerNoise | undefined {
  for (const report of Object.values(reports)) {
    const parsed = layersSchema.safeParse(report);
    if (!parsed.success) continue;
    const kind = parsed.data.sqnr === "measured" ? "measured" : "predicted";
    const layers = parsed.data.layers.flatMap(({ node, ownSqnrDb, cumulativeSqnrDb }) => {
      const sqnrDb = kind === "measured" ? cumulativeSqnrDb : ownSqnrDb;
      return sqnrDb === undefined ? [] : [{ node, sqnrDb }];
    });
    if (layers.length === 0) continue;
    return { kind, layers: layers.sort((a, b) => a.sqnrDb - b.sqnrDb) };
  }
  return undefined;
}

export interface OperatorRow {
  readonly opType: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/** Time by type of operator, longest first; all beyond `most` are one row. */
export function operatorRows({ before, after }: Sides<ProfileFigures>, most: number): readonly OperatorRow[] {
  const sums = { before: sumByType(before), after: sumByType(after) };
  const types = [...new Set([...sums.before.keys(), ...sums.after.keys()])];
  const longest = (type: string) => Math.max(sums.before.get(type) ?? 0, sums.after.get(type) ?? 0);
  types.sort((a, b) => longest(b) - longest(a));
  const rows = types.map((opType) => ({ opType, before: sums.before.get(opType), after: sums.after.get(opType) }));
  if (rows.length <= most) return rows;
  const rest = rows.slice(most - 1);
  const total = (side: "before" | "after") =>
    rest.some((row) => row[side] !== undefined) ? rest.reduce((sum, row) => sum + (row[side] ?? 0), 0) : undefined;
  return [...rows.slice(0, most - 1), { opType: "other", before: total("before"), after: total("after") }];
}

function sumByType(profile: ProfileFigures | undefined): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { opType, ms } of profile?.perOp ?? []) sums.set(opType, (sums.get(opType) ?? 0) + ms);
  return sums;
}

/** Share of the 90th percentile's distance from the median that is shown beyond it: rare outliers leave the picture. */
const BEYOND = 2;

/** From and to, milliseconds, of what is worth drawing; undefined where nothing was measured. */
export function latencyRange(sides: Sides<ProfileFigures>): readonly [number, number] | undefined {
  const measured = [sides.before, sides.after].flatMap((p) => (p?.histogram ? [{ ...p, histogram: p.histogram }] : []));
  if (measured.length === 0) return undefined;
  const ends = measured.map(({ histogram: { startMs, binMs, counts }, p50Ms, p90Ms }) => {
    const end = startMs + binMs * counts.length;
    if (p50Ms === undefined || p90Ms === undefined) return end;
    return Math.min(end, Math.max(p90Ms + BEYOND * (p90Ms - p50Ms), p90Ms * 1.1));
  });
  const low = Math.min(...measured.map((p) => p.histogram.startMs));
  const high = Math.max(...ends);
  const margin = (high - low) * 0.04;
  return [Math.max(0, low - margin), high + margin];
}
