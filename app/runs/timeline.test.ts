import { describe, expect, it } from "vitest";
import type { RunState, StepState } from "../../pipelines/document/reduceRun.ts";
import { ticks, timeline } from "./timeline.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const step = (from: number, to: number | undefined, more: Partial<StepState> = {}): StepState => ({
  state: "done",
  startedAt: at(from),
  finishedAt: to === undefined ? undefined : at(to),
  effects: "pure",
  outputs: {},
  previews: [],
  log: [],
  ...more,
});
const run = (steps: RunState["steps"]): RunState => ({
  status: "done",
  startedAt: at(0),
  plan: Object.keys(steps),
  steps,
  diagnostics: [],
  lastSeq: 0,
});

describe("timeline", () => {
  it("puts steps by what they use, overlapping ones in lanes, and leaves hits out", () => {
    const { rows, totalMs } = timeline(
      run({
        a: step(0, 2),
        b: step(1, 3),
        c: step(3, 4),
        d: step(4, 6, { effects: "measures" }),
        cached: step(0, 0, { state: "hit" }),
      }),
      0,
    );
    expect(rows.map((r) => [r.title, r.lanes])).toEqual([
      ["CPU", 2],
      ["measuring, alone", 1],
    ]);
    expect(rows[0]?.bars.map((b) => [b.id, b.lane])).toEqual([
      ["a", 0],
      ["b", 1],
      ["c", 0],
    ]);
    expect(totalMs).toBe(6000);
  });

  it("lets a running step reach to now", () => {
    const { rows } = timeline(
      run({ a: step(1, undefined, { state: "running", effects: undefined }) }),
      Date.parse(at(5)),
    );
    expect(rows[0]).toMatchObject({ title: "not finished", bars: [{ startMs: 1000, endMs: 5000 }] });
  });
});

describe("ticks", () => {
  it("are round", () => {
    expect(ticks(12.4, 6)).toEqual([0, 5, 10]);
    expect(ticks(0.9, 4)).toEqual([0, 0.5]);
    expect(ticks(0, 4)).toEqual([0]);
  });
});
