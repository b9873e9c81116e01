/**
 * A run's figures for a person: size, accuracy and latency side by side where a compare joined them, else one row a
 * report, the front of an autotune, whether a calibration's images were enough, and where a build kit lies. An estimate is
 * marked with ≈; what is unknown is a dash.
 */
import { z } from "zod";
import type { RunOutput } from "../../pipelines/document/events.ts";
import { AGREEMENT_HEAD, agreementRows } from "./agreementTable.ts";
import { coverageLine } from "./coverageLine.ts";
import { frontTable } from "./frontTable.ts";
import { cell, columns } from "./table.ts";

type Outputs = Readonly<Record<string, Readonly<Record<string, RunOutput>>>>;

const compareSchema = z.looseObject({
  kind: z.literal("compare"),
  rows: z.array(
    z.looseObject({
      metric: z.string(),
      label: z.string(),
      unit: z.string(),
      baseline: z.number().optional(),
      candidate: z.number().optional(),
      ratio: z.number().optional(),
      provenance: z.looseObject({ baseline: z.string().optional(), candidate: z.string().optional() }),
    }),
  ),
});
const figuresSchema = z.looseObject({
  kind: z.enum(["profile", "evaluate"]),
  provenance: z.string(),
  p50Ms: z.number().optional(),
  p99Ms: z.number().optional(),
  sizeBytes: z.number().optional(),
  mAP: z.number().optional(),
  mAP50: z.number().optional(),
  top1: z.number().optional(),
});

const kitSchema = z.looseObject({ kind: z.literal("compile-tensorrt"), kit: z.looseObject({ path: z.string() }) });

/** Text with its final line break; empty where the run has no such report. */
export function resultTable(outputs: Outputs): string {
  const reports = Object.entries(outputs).flatMap(([node, ports]) =>
    Object.values(ports).flatMap(({ value }) => (value === undefined ? [] : [{ node, value }])),
  );
  const tables = reports.flatMap(({ node, value }) => {
    const compare = compareSchema.safeParse(value);
    if (compare.success) return [compareTable(node, compare.data)];
    const front = frontTable(node, value);
    return front === undefined ? [] : [front];
  });
  const compared = reports.some(({ value }) => compareSchema.safeParse(value).success);
  const figures = compared ? [] : figureRows(reports);
  const kits = reports.flatMap(({ node, value }) => {
    const parsed = kitSchema.safeParse(value);
    return parsed.success ? [`${node}: no engine was built; the build kit is ${parsed.data.kit.path}`] : [];
  });
  const coverage = reports.flatMap(({ node, value }) => coverageLine(node, value) ?? []);
  const agreement = [AGREEMENT_HEAD, ...reports.flatMap(({ node, value }) => agreementRows(node, value))];
  const rest = [figures, agreement].filter((rows) => rows.length > 1).map(columns);
  const text = [...tables, ...rest, ...coverage, ...kits].join("\n\n");
  return text === "" ? "" : `\n${text}\n`;
}

/** Classes shown of a comparison: those that lost most. */
const WORST_CLASSES = 3;

function compareTable(node: string, { rows }: z.output<typeof compareSchema>): string {
  const ofClass = ({ metric }: { metric: string }) => metric.includes(".perClass.");
  const loss = ({ baseline = 0, candidate = 0 }) => baseline - candidate;
  const worst = rows.filter(ofClass).sort((a, b) => loss(b) - loss(a));
  const shown = [...rows.filter((row) => !ofClass(row)), ...worst.slice(0, WORST_CLASSES)];
  const lines = shown.map(({ label, unit, baseline, candidate, ratio, provenance }) => [
    label,
    cell(baseline, unit, provenance.baseline),
    cell(candidate, unit, provenance.candidate),
    ratio === undefined ? "–" : `×${ratio.toFixed(2)}`,
  ]);
  const rest = worst.length - WORST_CLASSES;
  const more = rest > 0 ? `\n(${rest} more classes lost less; edgewright report --json has them)` : "";
  return columns([[node, "baseline", "candidate", "ratio"], ...lines]) + more;
}

function figureRows(reports: readonly { readonly node: string; readonly value: unknown }[]): string[][] {
  const rows = reports.flatMap(({ node, value }) => {
    const parsed = figuresSchema.safeParse(value);
    if (!parsed.success) return [];
    const { provenance, p50Ms, p99Ms, sizeBytes, mAP, mAP50, top1 } = parsed.data;
    const show = (figure: number | undefined, unit: string) => cell(figure, unit, provenance);
    return [
      [
        node,
        show(sizeBytes, "B"),
        show(mAP50, ""),
        show(mAP, ""),
        show(top1, ""),
        show(p50Ms, "ms"),
        show(p99Ms, "ms"),
      ],
    ];
  });
  const table = [["", "size", "mAP50", "mAP", "top-1", "p50", "p99"], ...rows];
  const used = table[0]?.map((_, column) => column === 0 || rows.some((row) => row[column] !== "–")) ?? [];
  return table.map((row) => row.filter((_, column) => used[column]));
}
