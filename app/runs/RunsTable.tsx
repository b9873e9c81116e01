"use client";
/** Runs, newest first, with the figures of each that has them. */
import { useQueries, useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { reduceRun } from "../../pipelines/document/reduceRun.ts";
import { duration } from "../canvas/nodeView.ts";
import { trpc } from "../trpc.ts";

/** Of this many runs, the newest, the whole log is read for its counts. */
const DETAILED = 12;
const TONES: Readonly<Record<string, string>> = { done: "measured", failed: "bad", running: "accent" };

export function RunsTable({ limit }: { readonly limit: number }) {
  const { data, isPending } = useQuery(trpc.runs.list.queryOptions({}));
  const runs = data?.slice(0, limit) ?? [];
  const details = useQueries({
    queries: runs.slice(0, DETAILED).map((run) => ({
      ...trpc.runs.get.queryOptions({ runId: run.runId }),
      enabled: run.finishedAt !== undefined,
      staleTime: Number.POSITIVE_INFINITY,
    })),
  });
  if (isPending) return <div className="skeleton m-3 h-24" />;
  if (runs.length === 0) return <p className="hint p-3">No run yet. Press Run.</p>;
  return (
    <table className="runs" data-testid="runs-table">
      <thead>
        <tr>
          <th>Run</th>
          <th>Pipeline</th>
          <th>Target</th>
          <th>Status</th>
          <th className="num">Steps</th>
          <th className="num">From cache</th>
          <th className="num">Took</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run, index) => {
          const events = details[index]?.data?.events;
          const steps = events ? Object.values(reduceRun(events).steps) : undefined;
          const took = run.finishedAt && Date.parse(run.finishedAt) - Date.parse(run.startedAt);
          return (
            <tr key={run.runId}>
              <td>
                <Link href={`/runs/${run.runId}`}>{new Date(run.startedAt).toLocaleString()}</Link>
              </td>
              <td>
                <Link href={`/pipelines/${run.pipeline}`}>{run.pipeline}</Link>
              </td>
              <td className="mono">{run.target}</td>
              <td>
                <span className={`badge ${TONES[run.status] ?? ""}`}>{run.status}</span>
              </td>
              <td className="num">{steps?.length ?? "–"}</td>
              <td className="num">{steps ? steps.filter((step) => step.state === "hit").length : "–"}</td>
              <td className="num">{took === undefined || took === "" ? "–" : duration(took)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
