import { expect, test } from "vitest";
import type { PipelineDoc } from "../../pipelines/document/doc.ts";
import { historyRows, type RunRecord, tradeOffPoints } from "./history.ts";

function doc(minSqnrDb: number, x = 0): PipelineDoc {
  const quantize = { type: "quantize", version: 1, params: { minSqnrDb }, position: { x, y: 0 } };
  return { format: "edgewright.pipeline", version: 1, name: "p", target: "local-cpu", nodes: { quantize }, edges: [] };
}

function record(runId: string, more: Partial<RunRecord>): RunRecord {
  return { runId, startedAt: "2026-01-02T03:04:05Z", status: "done", doc: doc(10), reports: {}, ...more };
}

const profile = (p50Ms: number, cpuMs?: number) => ({
  kind: "profile",
  provenance: "measured",
  p50Ms,
  cpuMs,
  sizeBytes: 9,
});
const evaluate = (mAP50: number) => ({ kind: "evaluate", mAP50 });

test("a run is held against the one before it, and a moved node is no change", () => {
  const rows = historyRows([record("c", { doc: doc(10, 50) }), record("b", {}), record("a", { doc: doc(20) })]);
  expect(rows.map(({ changes }) => changes?.map(({ what, mine, theirs }) => [what, mine, theirs]))).toEqual([
    [],
    [["quantize.minSqnrDb", "10", "20"]],
    undefined,
  ]);
});

test("speed is processor time against processor time where both have it, else latency, else unknown", () => {
  const both = { "profile-fp32": profile(4, 6), profile: profile(1, 3) };
  const latencyAlone = { "profile-fp32": profile(4), profile: profile(1) };
  const speeds = [both, latencyAlone, { profile: profile(1) }].map(
    (reports) => historyRows([record("a", { reports })])[0]?.speed?.value,
  );
  expect(speeds).toEqual([2, 4, undefined]);
});

test("an estimate on either side makes the speed an estimate", () => {
  const reports = { "profile-fp32": profile(4), profile: { ...profile(1), provenance: "estimated" } };
  expect(historyRows([record("a", { reports })])[0]?.speed).toEqual({ value: 4, provenance: "estimated" });
});

test("runs with the same figures share a point, the shown run's own", () => {
  const reports = { "profile-fp32": profile(4), profile: profile(2), evaluate: evaluate(0.5) };
  const other = { ...reports, evaluate: evaluate(0.4) };
  const rows = historyRows([record("c", { reports }), record("b", { reports }), record("a", { reports: other })]);
  expect(tradeOffPoints(rows, "b").map(({ runId }) => runId)).toEqual(["b", "a"]);
});
