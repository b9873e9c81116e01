/** The nearest result of a kind above, below or beside a node, breadth first along its wires. Pure. */
import type { PortKind } from "../../nodes/ports.ts";
import { type PipelineDoc, parseEndpoint } from "../../pipelines/document/doc.ts";
import type { RunState } from "../../pipelines/document/reduceRun.ts";

export interface Result {
  readonly kind: PortKind;
  readonly digest: string;
  readonly size: number;
}

export function nearestResult(
  doc: PipelineDoc | undefined,
  run: RunState,
  id: string,
  kind: PortKind,
): Result | undefined {
  if (!doc) return undefined;
  // Pictures come with what flows through a node; those that its model was made with are another set.
  const flowing = doc.edges.filter(({ to }) => parseEndpoint(to).port !== "model");
  return (
    (kind === "images" ? nearestAlong(flowing, run, id, kind) : undefined) ?? nearestAlong(doc.edges, run, id, kind)
  );
}

function nearestAlong(edges: PipelineDoc["edges"], run: RunState, id: string, kind: PortKind): Result | undefined {
  const seen = new Set([id]);
  let layer = [id];
  while (layer.length > 0) {
    const next: string[] = [];
    for (const edge of edges) {
      if (!layer.includes(parseEndpoint(edge.to).node)) continue;
      const from = parseEndpoint(edge.from);
      const output = run.steps[from.node]?.outputs[from.port];
      if (output?.kind === kind) return { kind, digest: output.digest, size: output.size ?? 0 };
      if (!seen.has(from.node)) next.push(from.node);
      seen.add(from.node);
    }
    layer = next;
  }
  return undefined;
}

/** The nearest result made of what a node put out. */
export function resultBelow(doc: PipelineDoc | undefined, run: RunState, id: string, kind: PortKind) {
  return firstResult(run, doc ? nodesFrom(doc, id, "down") : [], kind);
}

/** What another branch made of the same things: the nearest result below a node that both come from. */
export function resultBeside(doc: PipelineDoc | undefined, run: RunState, id: string, kind: PortKind) {
  for (const ancestor of doc ? nodesFrom(doc, id, "up") : []) {
    const below = doc ? nodesFrom(doc, ancestor, "down").filter((node) => node !== id) : [];
    const result = firstResult(run, below, kind);
    if (result) return result;
  }
  return undefined;
}

/** All nodes above or below one, nearest first, itself left out. */
function nodesFrom(doc: PipelineDoc, id: string, way: "up" | "down"): readonly string[] {
  const seen = new Set([id]);
  // A set hands out what is added while it is walked.
  for (const node of seen) {
    for (const edge of doc.edges) {
      const from = parseEndpoint(edge.from).node;
      const to = parseEndpoint(edge.to).node;
      if ((way === "up" ? to : from) === node) seen.add(way === "up" ? from : to);
    }
  }
  return [...seen].slice(1);
}

function firstResult(run: RunState, nodes: readonly string[], kind: PortKind): Result | undefined {
  for (const node of nodes) {
    const output = Object.values(run.steps[node]?.outputs ?? {}).find((o) => o.kind === kind);
    if (output) return { kind, digest: output.digest, size: output.size ?? 0 };
  }
  return undefined;
}
