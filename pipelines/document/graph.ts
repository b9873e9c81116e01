/** The pipeline as a graph: what may be wired, what depends on what, in which order. Pure; canvas and server share it. */
import type { NodeDef } from "../../nodes/define.ts";
import { type Endpoint, type PipelineDoc, type PipelineEdge, parseEndpoint } from "./doc.ts";
import { own } from "./own.ts";

export type NodeDefs = Readonly<Record<string, NodeDef>>;
export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: string; readonly side: Endpoint; readonly reason: string };

/** Whether a wire between two ports has sense by itself: both exist and their kinds fit. */
export function checkWire(defs: NodeDefs, doc: PipelineDoc, edge: PipelineEdge): Verdict {
  const from = parseEndpoint(edge.from);
  const to = parseEndpoint(edge.to);
  const source = own(doc.nodes, from.node);
  const target = own(doc.nodes, to.node);
  if (!source) return refuse("unknown-node", from, `There is no node "${from.node}".`);
  if (!target) return refuse("unknown-node", to, `There is no node "${to.node}".`);
  const sourceDef = own(defs, source.type);
  const targetDef = own(defs, target.type);
  if (!sourceDef) return refuse("unknown-node-type", from, `"${source.type}" is no node type of this version.`);
  if (!targetDef) return refuse("unknown-node-type", to, `"${target.type}" is no node type of this version.`);
  const output = own(sourceDef.outputs, from.port);
  const input = own(targetDef.inputs, to.port);
  if (!output) {
    return refuse(
      "unknown-port",
      from,
      `${sourceDef.title} has no output "${from.port}"; it gives ${list(sourceDef.outputs)}.`,
    );
  }
  if (!input) {
    return refuse(
      "unknown-port",
      to,
      `${targetDef.title} has no input "${to.port}"; it takes ${list(targetDef.inputs)}.`,
    );
  }
  if (!input.kinds.includes(output.kind)) {
    const wants = input.kinds.map(withArticle).join(" or ");
    return refuse(
      "wrong-kind",
      to,
      `${targetDef.title} wants ${wants}; ${sourceDef.title} gives ${withArticle(output.kind)}.`,
    );
  }
  return { ok: true };
}

/** Whether this wire may be added to the document as it stands. */
export function canConnect(defs: NodeDefs, doc: PipelineDoc, edge: PipelineEdge): Verdict {
  const wire = checkWire(defs, doc, edge);
  if (!wire.ok) return wire;
  const from = parseEndpoint(edge.from);
  const to = parseEndpoint(edge.to);
  if (doc.edges.some((e) => e.from === edge.from && e.to === edge.to)) {
    return refuse("duplicate-wire", to, "These two ports are wired already.");
  }
  if (from.node === to.node || upstreamOf(doc, from.node).has(to.node)) {
    return refuse("cycle", to, "This wire would close a circle: a step cannot wait for its own result.");
  }
  return { ok: true };
}

/** True where a new wire into this port takes the place of the old one. */
export function takesOneWire(defs: NodeDefs, doc: PipelineDoc, to: string): boolean {
  const { node, port } = parseEndpoint(to);
  const def = own(defs, own(doc.nodes, node)?.type ?? "");
  return def !== undefined && own(def.inputs, port)?.many !== true;
}

/** Every node that `id` needs, itself not included. */
export function upstreamOf(doc: PipelineDoc, id: string): Set<string> {
  return reach(id, neighbours(doc, "up"));
}
/** Every node that needs `id`, itself not included. */
export function downstreamOf(doc: PipelineDoc, id: string): Set<string> {
  return reach(id, neighbours(doc, "down"));
}

function neighbours(doc: PipelineDoc, way: "up" | "down"): Map<string, string[]> {
  const next = new Map<string, string[]>();
  for (const edge of doc.edges) {
    const from = parseEndpoint(edge.from).node;
    const to = parseEndpoint(edge.to).node;
    if (!Object.hasOwn(doc.nodes, from) || !Object.hasOwn(doc.nodes, to)) continue;
    const [key, value] = way === "up" ? [to, from] : [from, to];
    next.set(key, [...(next.get(key) ?? []), value]);
  }
  return next;
}

function reach(start: string, next: ReadonlyMap<string, readonly string[]>): Set<string> {
  const seen = new Set<string>();
  const open = [...(next.get(start) ?? [])];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...(next.get(id) ?? []));
  }
  return seen;
}

/** Node ids, each after what it needs, ties by id; `cycle` names the nodes of a circle where there is one. */
export function topologicalOrder(doc: PipelineDoc): { readonly order: string[]; readonly cycle: string[] } {
  const up = neighbours(doc, "up");
  const down = neighbours(doc, "down");
  const waiting = new Map(Object.keys(doc.nodes).map((id) => [id, new Set(up.get(id)).size]));
  const ready = [...waiting].filter(([, n]) => n === 0).map(([id]) => id);
  const order: string[] = [];
  while (ready.length > 0) {
    ready.sort();
    const id = ready.shift();
    if (id === undefined) break;
    order.push(id);
    for (const next of new Set(down.get(id))) {
      const left = (waiting.get(next) ?? 0) - 1;
      waiting.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  const done = new Set(order);
  return { order, cycle: Object.keys(doc.nodes).filter((id) => !done.has(id)) };
}

/** `type`, or `type-2`, `type-3`...: whichever is free. */
export function freshNodeId(doc: PipelineDoc, base: string): string {
  let id = base;
  for (let i = 2; Object.hasOwn(doc.nodes, id); i++) id = `${base}-${i}`;
  return id;
}

function refuse(code: string, side: Endpoint, reason: string): Verdict {
  return { ok: false, code, side, reason };
}

function list(ports: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(ports);
  return names.length > 0 ? names.join(", ") : "nothing";
}

/** `images`, `settings`, `frames`, `tensors` and `detections` are plural. */
function withArticle(kind: string): string {
  if (kind.endsWith("s")) return kind;
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}
