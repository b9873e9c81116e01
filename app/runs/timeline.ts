/** A run's steps as bars by what they use: pure geometry in milliseconds from the run's start. */
import type { Effects } from "../../nodes/define.ts";
import type { RunState, StepState } from "../../pipelines/document/reduceRun.ts";

export interface Bar {
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly state: StepState["state"];
  /** Bars of a row that overlap in time lie in lanes of their own. */
  readonly lane: number;
}
export interface Row {
  readonly title: string;
  readonly lanes: number;
  readonly bars: readonly Bar[];
}

const TITLES: Record<Effects, string> = {
  pure: "CPU",
  builds: "compilers",
  infers: "inference",
  measures: "measuring, alone",
  exports: "export",
};
const OTHER = "not finished";

/** Hits take no time and are left out. `nowMs` ends the bars of running steps. */
export function timeline(run: RunState, nowMs: number): { readonly rows: readonly Row[]; readonly totalMs: number } {
  const start = Date.parse(run.startedAt ?? "");
  if (Number.isNaN(start)) return { rows: [], totalMs: 0 };
  const byTitle = new Map<string, Omit<Bar, "lane">[]>();
  let totalMs = 0;
  for (const [id, step] of Object.entries(run.steps)) {
    if (step.state === "hit" || !step.startedAt) continue;
    const startMs = Date.parse(step.startedAt) - start;
    const endMs = Math.max(startMs, (step.finishedAt ? Date.parse(step.finishedAt) : nowMs) - start);
    const title = step.effects ? TITLES[step.effects] : OTHER;
    byTitle.set(title, [...(byTitle.get(title) ?? []), { id, startMs, endMs, state: step.state }]);
    totalMs = Math.max(totalMs, endMs);
  }
  const order = [...Object.values(TITLES), OTHER];
  const rows = order.flatMap((title) => {
    const bars = byTitle.get(title);
    return bars ? [rowOf(title, bars)] : [];
  });
  return { rows, totalMs };
}

function rowOf(title: string, bars: readonly Omit<Bar, "lane">[]): Row {
  const ends: number[] = [];
  const placed = [...bars]
    .sort((a, b) => a.startMs - b.startMs)
    .map((bar) => {
      const free = ends.findIndex((end) => end <= bar.startMs);
      const lane = free === -1 ? ends.length : free;
      ends[lane] = bar.endMs;
      return { ...bar, lane };
    });
  return { title, lanes: ends.length, bars: placed };
}

/** Round marks for an axis of this length, about `count` of them. */
export function ticks(total: number, count: number): number[] {
  if (total <= 0) return [0];
  const rough = total / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? rough;
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}
