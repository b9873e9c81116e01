/**
 * The run that the canvas shows: started, followed over server-sent events (they resume by themselves after a break of
 * the line), cancelled. Events come many to a frame and are reduced once a frame. `doc` is the document that ran, where
 * this tab knows it: what differs from it makes a result stale.
 */
import { z } from "zod";
import { create } from "zustand";
import { type PipelineDoc, pipelineDocSchema } from "../../pipelines/document/doc.ts";
import type { RunEvent } from "../../pipelines/document/events.ts";
import { emptyRun, type RunState, reduceRun, type StepState } from "../../pipelines/document/reduceRun.ts";
import { currentDoc } from "../canvas/useEditor.ts";
import { messageOf } from "../shell/sentence.ts";
import { say } from "../shell/useNotices.ts";
import { api, queryClient, trpc } from "../trpc.ts";

export interface ShownRun {
  readonly runId: string | undefined;
  readonly run: RunState;
  readonly doc: PipelineDoc | undefined;
  /** From the click to the server's answer. */
  readonly starting: boolean;
  /** The line to the server broke; it is tried again without end. */
  readonly lost: boolean;
  /** Each node's last finished step in earlier runs of this tab: what a queued or skipped node still shows. */
  readonly earlier: RunState["steps"];
}

const NONE: ShownRun = { runId: undefined, run: emptyRun, doc: undefined, starting: false, lost: false, earlier: {} };
export const useRun = create<ShownRun>(() => NONE);

export const isActive = ({ runId, run, starting }: ShownRun): boolean =>
  starting || (runId !== undefined && (run.status === "queued" || run.status === "running"));

let unsubscribe: (() => void) | undefined;
let waiting: RunEvent[] = [];

export interface StartOptions {
  /** Run only what this node needs. */
  readonly to?: string;
  /** Measure again what is only measured on request. */
  readonly fresh?: boolean;
}

export async function startRun(options: StartOptions = {}): Promise<void> {
  const doc = currentDoc();
  if (!doc || isActive(useRun.getState())) return;
  useRun.setState({ starting: true });
  try {
    const { runId } = await api.runs.start.mutate({ doc, ...options });
    rememberDoc(runId, doc);
    follow(runId, doc);
  } catch (error) {
    say({ tone: "bad", text: messageOf(error) });
  } finally {
    useRun.setState({ starting: false });
  }
}

export async function cancelRun(): Promise<void> {
  const { runId } = useRun.getState();
  if (runId) await api.runs.cancel.mutate({ runId });
}

/** Shows the newest run of a pipeline, and nothing where there is none. */
export async function followLatestRun(pipeline: string): Promise<void> {
  stopFollowing();
  useRun.setState(NONE);
  const [latest] = await api.runs.list.query({ pipeline });
  if (latest && currentDoc()?.name === pipeline && !useRun.getState().runId) {
    follow(latest.runId, recallDoc(pipeline, latest.runId));
  }
}

const remembered = z.object({ runId: z.string(), doc: pipelineDocSchema });
const storageKey = (pipeline: string) => `edgewright.ran.${pipeline}`;

/** So that after a reload this browser still knows which document its last run was of. */
function rememberDoc(runId: string, doc: PipelineDoc): void {
  try {
    localStorage.setItem(storageKey(doc.name), JSON.stringify({ runId, doc }));
  } catch {
    // Storage that is full or forbidden costs only this: after a reload nothing shows as stale.
  }
}

function recallDoc(pipeline: string, runId: string): PipelineDoc | undefined {
  const text = localStorage.getItem(storageKey(pipeline));
  const parsed = remembered.safeParse(text === null ? undefined : JSON.parse(text));
  return parsed.success && parsed.data.runId === runId ? parsed.data.doc : undefined;
}

export function follow(runId: string, doc: PipelineDoc | undefined): void {
  stopFollowing();
  const { run, earlier } = useRun.getState();
  useRun.setState({ runId, run: emptyRun, doc, lost: false, earlier: { ...earlier, ...withResults(run.steps) } });
  const subscription = api.runs.watch.subscribe(
    { runId },
    {
      onData: ({ data }) => {
        if (waiting.push(data) === 1) requestAnimationFrame(drain);
      },
      onConnectionStateChange: ({ state, error }) =>
        useRun.setState({ lost: state === "connecting" && error !== null }),
      onError: (error) => say({ tone: "bad", text: `The run can no longer be followed: ${error.message}` }),
    },
  );
  unsubscribe = () => subscription.unsubscribe();
}

function withResults(steps: RunState["steps"]): RunState["steps"] {
  return Object.fromEntries(Object.entries(steps).filter(([, step]) => step.state === "done" || step.state === "hit"));
}

/** The step whose result a node shows: this run's, and until it has one, the last there was. */
export function shownStep({ run, earlier }: ShownRun, id: string): StepState | undefined {
  const step = run.steps[id];
  if (step?.state === "done" || step?.state === "hit" || step?.state === "failed") return step;
  return earlier[id] ?? step;
}

function drain(): void {
  const events = waiting;
  waiting = [];
  useRun.setState(({ run }) => ({ run: reduceRun(events, run) }));
  const finished = events.find((event) => event.type === "run.finished");
  if (finished) {
    for (const { nodeId, message, fix } of finished.diagnostics ?? []) {
      // What belongs to a node is said on the node.
      if (nodeId === undefined) say({ tone: "bad", text: message, fix });
    }
    unsubscribe?.();
    unsubscribe = undefined;
    void queryClient.invalidateQueries({ queryKey: trpc.runs.list.queryKey() });
  }
}

function stopFollowing(): void {
  unsubscribe?.();
  unsubscribe = undefined;
  waiting = [];
}
