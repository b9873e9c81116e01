/** A run's log to what a person wants to know of it: one function for the canvas, the run page and the terminal. */
import type { Diagnostic, Effects } from "../../nodes/define.ts";
import type { RunEvent, RunOutput } from "./events.ts";

export interface StepState {
  readonly state: "queued" | "running" | "done" | "hit" | "failed" | "skipped";
  readonly progress?: {
    readonly done: number;
    readonly total?: number;
    readonly unit?: string;
    readonly message?: string;
  };
  /** ISO times. */
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly ms?: number;
  readonly reason?: string;
  readonly effects?: Effects;
  readonly error?: { readonly code: string; readonly message: string; readonly fix?: string };
  readonly outputs: Readonly<Record<string, RunOutput>>;
  readonly previews: readonly { readonly digest: string; readonly mime: string }[];
  readonly log: readonly { readonly level: "info" | "warning"; readonly message: string; readonly time: string }[];
}

export interface RunState {
  readonly runId?: string;
  readonly pipeline?: string;
  readonly target?: string;
  readonly status: "queued" | "running" | "done" | "failed" | "cancelled";
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly plan: readonly string[];
  readonly steps: Readonly<Record<string, StepState>>;
  readonly diagnostics: readonly Diagnostic[];
  readonly lastSeq: number;
}

export const emptyRun: RunState = { status: "queued", plan: [], steps: {}, diagnostics: [], lastSeq: -1 };
const queued: StepState = { state: "queued", outputs: {}, previews: [], log: [] };

export function reduceRun(events: Iterable<RunEvent>, from: RunState = emptyRun): RunState {
  let state = from;
  for (const event of events) state = reduceEvent(state, event);
  return state;
}

/** Events already seen (a stream that resumed) change nothing. */
export function reduceEvent(run: RunState, event: RunEvent): RunState {
  if (event.seq <= run.lastSeq) return run;
  const next = { ...run, lastSeq: event.seq };
  switch (event.type) {
    case "run.started":
      return {
        ...next,
        runId: event.runId,
        pipeline: event.pipeline,
        target: event.target,
        status: "running",
        startedAt: run.startedAt ?? event.time,
        plan: event.plan,
        // A resumed run starts once more: what was finished stays until its step says otherwise.
        steps: Object.fromEntries(event.plan.map((id) => [id, run.steps[id] ?? queued])),
        diagnostics: event.diagnostics ?? [],
      };
    case "step.started":
      return withStep(next, event.node, {
        state: "running",
        startedAt: event.time,
        error: undefined,
        progress: undefined,
      });
    case "step.progress": {
      const { done, total, unit, message } = event;
      return withStep(next, event.node, { progress: { done, total, unit, message } });
    }
    case "step.log": {
      const { level, message, time } = event;
      const log = [...(next.steps[event.node] ?? queued).log, { level, message, time }];
      return withStep(next, event.node, { log });
    }
    case "step.finished": {
      const { ms, reason, effects, outputs, previews } = event;
      const state = event.cache === "hit" ? "hit" : "done";
      return withStep(next, event.node, { state, ms, reason, effects, outputs, previews, finishedAt: event.time });
    }
    case "step.failed":
      return withStep(next, event.node, { state: "failed", error: event.error, finishedAt: event.time });
    case "run.finished": {
      const steps: Record<string, StepState> = {};
      for (const [id, step] of Object.entries(next.steps)) {
        const open = step.state === "queued" || step.state === "running";
        steps[id] = { ...step, state: open ? "skipped" : step.state, outputs: event.outputs[id] ?? step.outputs };
      }
      const diagnostics = event.diagnostics ?? next.diagnostics;
      return { ...next, runId: event.runId, status: event.status, finishedAt: event.time, steps, diagnostics };
    }
  }
}

function withStep(run: RunState, id: string, change: Partial<StepState>): RunState {
  return { ...run, steps: { ...run.steps, [id]: { ...(run.steps[id] ?? queued), ...change } } };
}
