/** What a node shows of its last result: the run's word on it, and whether the document has changed since. Pure. */
import type { Diagnostic } from "../../nodes/define.ts";
import { type PipelineDoc, parseEndpoint, sortKeys } from "../../pipelines/document/doc.ts";
import { type NodeDefs, topologicalOrder } from "../../pipelines/document/graph.ts";
import { own } from "../../pipelines/document/own.ts";
import type { StepState } from "../../pipelines/document/reduceRun.ts";

export type NodeState = "idle" | "invalid" | "queued" | "running" | "done" | "hit" | "stale" | "failed" | "skipped";

export interface NodeView {
  readonly state: NodeState;
  /** Beside the icon: `4.8 s`, `63 %`, `from cache`. */
  readonly word: string;
  /** On hover: why it is so. */
  readonly why: string | undefined;
  readonly error: { readonly message: string; readonly fix?: string; readonly portId?: string } | undefined;
  /** Between 0 and 1 where the total is known. */
  readonly fraction: number | undefined;
}

/** Nodes whose last result no longer answers the document, with the reason. Another target matters where one is used. */
export function staleNodes(defs: NodeDefs, ran: PipelineDoc, now: PipelineDoc): ReadonlyMap<string, string> {
  const stale = new Map<string, string>();
  for (const id of topologicalOrder(now).order) {
    const before = ran.nodes[id];
    const after = now.nodes[id];
    if (!before || !after) continue;
    const why =
      changedParam(before.params, after.params) ??
      (wiresInto(ran, id) === wiresInto(now, id) ? undefined : "its wires changed") ??
      (ran.target !== now.target && own(defs, after.type)?.usesTarget ? `was for ${ran.target}` : undefined) ??
      staleSource(now, id, stale);
    if (why) stale.set(id, why);
  }
  return stale;
}

function changedParam(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): string | undefined {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  const name = [...names].find((n) => canonical(a[n]) !== canonical(b[n]));
  return name && `${name} changed`;
}

const canonical = (value: unknown) => JSON.stringify(sortKeys(value));

function wiresInto(doc: PipelineDoc, id: string): string {
  const into = doc.edges.filter((edge) => parseEndpoint(edge.to).node === id);
  return into
    .map((edge) => `${edge.from}>${edge.to}`)
    .sort()
    .join();
}

function staleSource(doc: PipelineDoc, id: string, stale: ReadonlyMap<string, string>): string | undefined {
  const edge = doc.edges.find((e) => parseEndpoint(e.to).node === id && stale.has(parseEndpoint(e.from).node));
  return edge && `${parseEndpoint(edge.from).node} changed`;
}

export interface Told {
  /** Undefined where the last run did not have this node. */
  readonly step: StepState | undefined;
  /** Why the result is stale. */
  readonly stale: string | undefined;
  /** What keeps the node from running, as the document stands. */
  readonly problem: Diagnostic | undefined;
}

export function nodeView({ step, stale, problem }: Told): NodeView {
  const view = step && viewOfStep(step);
  if (view && stale && (view.state === "done" || view.state === "hit")) {
    return { ...view, state: "stale", word: "stale", why: stale };
  }
  // What failed was another document: the node waits to be tried again.
  if (view?.state === "failed" && stale) return problem ? invalid(problem) : IDLE;
  if (problem && view?.state !== "running") {
    return invalid(problem);
  }
  return view ?? IDLE;
}

const IDLE: NodeView = { state: "idle", word: "", why: undefined, error: undefined, fraction: undefined };
const invalid = (problem: Diagnostic): NodeView => ({
  ...IDLE,
  state: "invalid",
  why: problem.message,
  error: problem,
});

function viewOfStep(step: StepState): NodeView {
  const none = { why: step.reason, error: step.error, fraction: undefined };
  switch (step.state) {
    case "queued":
      return { ...none, state: "queued", word: "queued" };
    case "running":
      return { ...none, state: "running", ...progressOf(step) };
    case "done":
      return { ...none, state: "done", word: step.ms === undefined ? "done" : duration(step.ms) };
    case "hit":
      return { ...none, state: "hit", word: "from cache" };
    case "failed":
      return { ...none, state: "failed", word: "failed" };
    case "skipped":
      return { ...none, state: "skipped", word: "not run", why: "The run ended before this step." };
  }
}

function progressOf({ progress }: StepState): Pick<NodeView, "word" | "fraction"> {
  if (!progress) return { word: "", fraction: undefined };
  const { done, total, unit } = progress;
  if (!total) return { word: `${done}${unit ? ` ${unit}` : ""}`, fraction: undefined };
  const fraction = Math.min(1, done / total);
  return { word: `${Math.round(fraction * 100)} %`, fraction };
}

export function duration(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
