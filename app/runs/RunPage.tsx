"use client";
/** One run, whole: when each step ran, the log, and what the reports say, followed live while it runs. */
import { Square, Workflow } from "lucide-react";
import Link from "next/link";
import { useMemo } from "react";
import type { RunState } from "../../pipelines/document/reduceRun.ts";
import { reduceRun } from "../../pipelines/document/reduceRun.ts";
import { duration } from "../canvas/nodeView.ts";
import { FigureValue } from "../results/FigureValue.tsx";
import { type Figure, resultFigures } from "../results/figures.ts";
import { fraction, megabytes, milliseconds } from "../results/format.ts";
import { api } from "../trpc.ts";
import { AccuracyCard } from "./AccuracyCard.tsx";
import { HistoryCard } from "./HistoryCard.tsx";
import { LatencyCard } from "./LatencyCard.tsx";
import { OperatorCard } from "./OperatorCard.tsx";
import { RunLog } from "./RunLog.tsx";
import { evaluations, layerNoise, profiles } from "./reports.ts";
import { SqnrCard } from "./SqnrCard.tsx";
import { StepsTimeline } from "./StepsTimeline.tsx";
import { TradeOffCard } from "./TradeOffCard.tsx";
import { useHistory } from "./useHistory.ts";
import { useRunEvents } from "./useRunEvents.ts";
import { useRunReports } from "./useRunReports.ts";

export function RunPage({ runId }: { readonly runId: string }) {
  const { events, error, now } = useRunEvents(runId);
  const run = useMemo(() => reduceRun(events), [events]);
  const reports = useRunReports(run.steps);
  const sides = useMemo(() => profiles(reports), [reports]);
  const accuracy = useMemo(() => evaluations(reports), [reports]);
  const noise = useMemo(() => layerNoise(reports), [reports]);
  if (error) return <main className="run-page muted">{error}</main>;
  if (events.length === 0) return <RunSkeleton />;
  return (
    <main className="run-page" data-testid="run-page">
      <Head runId={runId} run={run} figures={resultFigures(reports).figures} now={now} />
      <StepsTimeline run={run} now={now} />
      <RunLog events={events} />
      <LatencyCard sides={sides} />
      <OperatorCard sides={sides} />
      <SqnrCard noise={noise} />
      <AccuracyCard sides={accuracy} />
      {run.pipeline && <History pipeline={run.pipeline} current={runId} />}
    </main>
  );
}

function History({ pipeline, current }: { readonly pipeline: string; readonly current: string }) {
  const rows = useHistory(pipeline);
  return (
    <>
      <HistoryCard rows={rows} pipeline={pipeline} current={current} />
      <TradeOffCard rows={rows} current={current} />
    </>
  );
}

interface HeadProps {
  readonly runId: string;
  readonly run: RunState;
  readonly figures: readonly Figure[];
  readonly now: number;
}

const SHOWN: Partial<Record<Figure["id"], { label: string; show: (v: number) => string; unit: string }>> = {
  size: { label: "Size", show: megabytes, unit: "MB" },
  accuracy: { label: "Accuracy", show: fraction, unit: "" },
  latency: { label: "Latency p50", show: milliseconds, unit: "ms" },
};

function Head({ runId, run, figures, now }: HeadProps) {
  const steps = Object.values(run.steps);
  const failed = steps.filter((step) => step.state === "failed").length;
  const hits = steps.filter((step) => step.state === "hit").length;
  const active = run.status === "running" || run.status === "queued";
  const start = Date.parse(run.startedAt ?? "");
  const took = (run.finishedAt ? Date.parse(run.finishedAt) : now) - start;
  const badge = failed > 0 ? `${failed} of ${steps.length} failed` : run.status;
  return (
    <section className="head">
      <h1>Run of {run.pipeline}</h1>
      <span
        className={`badge ${failed > 0 || run.status === "failed" ? "bad" : run.status === "done" ? "measured" : active ? "accent" : ""}`}
        data-testid="run-status"
        data-status={run.status}
      >
        {badge}
      </span>
      <span className="muted cut">
        {run.target} · {Number.isNaN(took) ? "" : `${duration(took)} · `}
        {hits} of {steps.length} from cache
      </span>
      <span className="grow" />
      {figures.map((figure) => {
        const shown = SHOWN[figure.id];
        return (
          shown && (
            <div className="kpi" key={figure.id}>
              <span className="hint">{shown.label}</span>
              <FigureValue before={figure.before} after={figure.after} show={shown.show} unit={shown.unit} />
            </div>
          )
        );
      })}
      {active && (
        <button type="button" className="btn" onClick={() => void api.runs.cancel.mutate({ runId })}>
          <Square className="icon" /> Cancel
        </button>
      )}
      {run.pipeline && (
        <Link className="btn" href={`/pipelines/${run.pipeline}`}>
          <Workflow className="icon" /> Canvas
        </Link>
      )}
    </section>
  );
}

function RunSkeleton() {
  return (
    <main className="run-page">
      <div className="skeleton span-12 h-11" />
      <div className="skeleton span-7 h-52" />
      <div className="skeleton span-5 h-52" />
    </main>
  );
}
