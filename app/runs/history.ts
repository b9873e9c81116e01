/** Runs of one pipeline beside each other: what each changed against the run before it, and what came of it. Pure. */
import type { PipelineDoc } from "../../pipelines/document/doc.ts";
import { type Difference, differences } from "../canvas/differences.ts";
import { type Figure, type Reports, resultFigures, type Value } from "../results/figures.ts";

export interface RunRecord {
  readonly runId: string;
  readonly startedAt: string;
  readonly status: string;
  readonly doc: PipelineDoc | undefined;
  readonly reports: Reports;
}

export interface HistoryRow extends RunRecord {
  /** Against the run before; undefined where there is none to compare with. */
  readonly changes: readonly Difference[] | undefined;
  /** Name of the accuracy: `mAP50`, `top-1`. */
  readonly accuracyName: string;
  readonly accuracy: Value | undefined;
  readonly size: Value | undefined;
  /** The baseline's time for one of the candidate's; processor time where both were measured, else latency. */
  readonly speed: Value | undefined;
  /** The baseline's accuracy. */
  readonly before: Value | undefined;
}

/** `records`: newest first, as are the rows. */
export function historyRows(records: readonly RunRecord[]): readonly HistoryRow[] {
  return records.map((record, index) => {
    const earlier = records[index + 1]?.doc;
    const { figures, cpuRatio, accuracy } = resultFigures(record.reports);
    const figure = (id: Figure["id"]) => figures.find((f) => f.id === id);
    return {
      ...record,
      changes: record.doc && earlier && settled(differences(record.doc, earlier)),
      accuracyName: accuracy,
      accuracy: figure("accuracy")?.after,
      before: figure("accuracy")?.before,
      size: figure("size")?.after,
      speed: speedOf(figure("latency"), cpuRatio),
    };
  });
}

/** Where a node stands on the canvas changes no result. */
const settled = (rows: readonly Difference[]) => rows.filter(({ what }) => what !== "positions");

function speedOf(latency: Figure | undefined, cpuRatio: number | undefined): Value | undefined {
  if (cpuRatio !== undefined) return { value: 1 / cpuRatio, provenance: "measured" };
  if (!latency?.before || !latency.after) return undefined;
  const measured = latency.before.provenance === "measured" && latency.after.provenance === "measured";
  return {
    value: latency.before.value / latency.after.value,
    provenance: measured ? "measured" : "estimated",
  };
}

export interface TradeOffPoint {
  readonly runId: string;
  readonly label: string;
  readonly speed: Value;
  readonly accuracy: Value;
}

/** A point for each pair of figures: of runs that came out the same, the newest stands for all. */
export function tradeOffPoints(rows: readonly HistoryRow[], current: string): readonly TradeOffPoint[] {
  const seen = new Set<string>();
  const first = rows.filter(({ runId }) => runId === current);
  return [...first, ...rows.filter(({ runId }) => runId !== current)].flatMap(
    ({ runId, startedAt, speed, accuracy }) => {
      const key = `${speed?.value} ${accuracy?.value}`;
      if (!speed || !accuracy || seen.has(key)) return [];
      seen.add(key);
      return [{ runId, label: timeLabel(startedAt), speed, accuracy }];
    },
  );
}

export const timeLabel = (startedAt: string): string =>
  new Date(startedAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
