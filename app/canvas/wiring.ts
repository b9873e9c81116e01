/** Which wires and nodes fit where, and the edits that make them. Pure. */
import type { NodeDef } from "../../nodes/define.ts";
import type { PortKind } from "../../nodes/ports.ts";
import {
  type Endpoint,
  type PipelineDoc,
  type PipelineEdge,
  type PipelineNode,
  parseEndpoint,
} from "../../pipelines/document/doc.ts";
import type { Edit } from "../../pipelines/document/edit.ts";
import { freshNodeId, type NodeDefs, takesOneWire } from "../../pipelines/document/graph.ts";
import { own } from "../../pipelines/document/own.ts";
import type { Point } from "./nodeGeometry.ts";

interface HandleLike {
  readonly nodeId: string;
  readonly id?: string | null;
  readonly type: "source" | "target";
}

/** The wire between two handles, whichever was grabbed first; undefined between two of a side. */
export function edgeOf(a: HandleLike, b: HandleLike): PipelineEdge | undefined {
  if (a.type === b.type) return undefined;
  const [source, target] = a.type === "source" ? [a, b] : [b, a];
  return { from: `${source.nodeId}.${source.id}`, to: `${target.nodeId}.${target.id}` };
}

/** Adds a wire; at a port that takes one, the old wire gives way. */
export function connectEdit(defs: NodeDefs, doc: PipelineDoc, edge: PipelineEdge): Edit {
  const replace = takesOneWire(defs, doc, edge.to) ? doc.edges.filter((e) => e.to === edge.to) : [];
  return { op: "connect", edge, replace };
}

export const newNode = (def: NodeDef, position: Point, params: PipelineNode["params"] = {}): PipelineNode => ({
  type: def.type,
  version: def.version,
  params,
  position: { x: Math.round(position.x), y: Math.round(position.y) },
});

export interface Loose extends Endpoint {
  readonly side: "source" | "target";
}

export interface Fit {
  readonly def: NodeDef;
  /** The port of the new node that takes the wire. */
  readonly port: string;
}

/** Node types that a loose end can be wired to, likeliest first: required ports, then the order in which nodes follow. */
export function fits(defs: NodeDefs, doc: PipelineDoc, loose: Loose): Fit[] {
  const def = own(defs, own(doc.nodes, loose.node)?.type ?? "");
  if (!def) return [];
  const found: { fit: Fit; score: number }[] = [];
  for (const other of Object.values(defs)) {
    const port =
      loose.side === "source"
        ? inputFor(other, def.outputs[loose.port]?.kind)
        : outputFor(other, def.inputs[loose.port]?.kinds);
    if (port) found.push({ fit: { def: other, port: port.name }, score: port.score + nearness(def, other) });
  }
  return found.sort((a, b) => b.score - a.score || a.fit.def.title.localeCompare(b.fit.def.title)).map((f) => f.fit);
}

interface Scored {
  readonly name: string;
  readonly score: number;
}

function inputFor(def: NodeDef, kind: PortKind | undefined): Scored | undefined {
  if (!kind) return undefined;
  const ports = Object.entries(def.inputs).filter(([, port]) => port.kinds.includes(kind));
  const [name, port] = ports.find(([, p]) => !p.optional) ?? ports[0] ?? [];
  return name === undefined || !port ? undefined : { name, score: port.optional ? 0 : 4 };
}

function outputFor(def: NodeDef, kinds: readonly PortKind[] | undefined): Scored | undefined {
  const names = Object.entries(def.outputs);
  const index = names.findIndex(([, port]) => kinds?.includes(port.kind));
  const name = names[index]?.[0];
  return name === undefined ? undefined : { name, score: index === 0 ? 4 : 1 };
}

const ORDER = ["Source", "Optimise", "Compile", "Vision", "Report"];
function nearness(a: NodeDef, b: NodeDef): number {
  return 2 - Math.abs(ORDER.indexOf(a.category) - ORDER.indexOf(b.category)) / 2 - (a.type === b.type ? 2 : 0);
}

/** The ports through which a node type can be put into a wire; undefined where it does not fit. */
export function insertPorts(defs: NodeDefs, doc: PipelineDoc, edge: PipelineEdge, def: NodeDef) {
  const from = parseEndpoint(edge.from);
  const to = parseEndpoint(edge.to);
  const kind = own(defs, own(doc.nodes, from.node)?.type ?? "")?.outputs[from.port]?.kind;
  const kinds = own(defs, own(doc.nodes, to.node)?.type ?? "")?.inputs[to.port]?.kinds;
  const input = inputFor(def, kind)?.name;
  const output = Object.entries(def.outputs).find(([, port]) => kinds?.includes(port.kind))?.[0];
  return input !== undefined && output !== undefined ? { input, output } : undefined;
}

/** Puts the node `id` into a wire: the wire goes, two come. */
export function insertEdits(edge: PipelineEdge, id: string, ports: { input: string; output: string }): Edit[] {
  return [
    { op: "remove", nodes: [], edges: [edge] },
    { op: "connect", edge: { from: edge.from, to: `${id}.${ports.input}` }, replace: [] },
    { op: "connect", edge: { from: `${id}.${ports.output}`, to: edge.to }, replace: [] },
  ];
}

/** Some nodes and the wires among them. */
export interface Fragment {
  readonly nodes: Readonly<Record<string, PipelineNode>>;
  readonly edges: readonly PipelineEdge[];
}

export function fragmentOf(doc: PipelineDoc, ids: ReadonlySet<string>): Fragment {
  return {
    nodes: Object.fromEntries(Object.entries(doc.nodes).filter(([id]) => ids.has(id))),
    edges: doc.edges.filter((e) => ids.has(parseEndpoint(e.from).node) && ids.has(parseEndpoint(e.to).node)),
  };
}

/** A fragment under ids that are free in `doc`, moved by an offset. */
export function pasteEdit(doc: PipelineDoc, fragment: Fragment, offset: Point): Extract<Edit, { op: "add" }> {
  const renamed = new Map<string, string>();
  let grown = doc;
  for (const [id, node] of Object.entries(fragment.nodes)) {
    const fresh = freshNodeId(grown, id.replace(/-\d+$/, ""));
    renamed.set(id, fresh);
    const position = { x: node.position.x + offset.x, y: node.position.y + offset.y };
    grown = { ...grown, nodes: { ...grown.nodes, [fresh]: { ...node, position } } };
  }
  const end = (text: string) => {
    const { node, port } = parseEndpoint(text);
    return `${renamed.get(node)}.${port}`;
  };
  const fresh = new Set(renamed.values());
  return {
    op: "add",
    nodes: Object.fromEntries(Object.entries(grown.nodes).filter(([id]) => fresh.has(id))),
    edges: fragment.edges.map((edge) => ({ from: end(edge.from), to: end(edge.to) })),
  };
}
