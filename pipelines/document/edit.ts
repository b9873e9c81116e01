/** Every change a user can make, as data. `applyEdit` gives a new frozen document, so undo is a list of documents. */
import type { z } from "zod";
import { type PipelineDoc, type PipelineEdge, type PipelineNode, parseEndpoint } from "./doc.ts";
import { own } from "./own.ts";

export type JsonValue = z.infer<ReturnType<typeof z.json>>;

export type Edit =
  | {
      readonly op: "add";
      readonly nodes: Readonly<Record<string, PipelineNode>>;
      readonly edges: readonly PipelineEdge[];
    }
  | { readonly op: "remove"; readonly nodes: readonly string[]; readonly edges: readonly PipelineEdge[] }
  | { readonly op: "move"; readonly positions: Readonly<Record<string, { readonly x: number; readonly y: number }>> }
  /** `value` undefined goes back to the default. */
  | { readonly op: "param"; readonly node: string; readonly name: string; readonly value: JsonValue | undefined }
  /** An empty title goes back to the type's own. */
  | { readonly op: "title"; readonly node: string; readonly title: string }
  /** `replace` are wires that give way: the old one of a port that takes one wire. */
  | { readonly op: "connect"; readonly edge: PipelineEdge; readonly replace: readonly PipelineEdge[] }
  | { readonly op: "target"; readonly target: string };

export function applyEdit(doc: PipelineDoc, edit: Edit): PipelineDoc {
  return deepFreeze(edited(doc, edit));
}

function edited(doc: PipelineDoc, edit: Edit): PipelineDoc {
  switch (edit.op) {
    case "add":
      return { ...doc, nodes: { ...doc.nodes, ...edit.nodes }, edges: withEdges(doc.edges, edit.edges) };
    case "remove": {
      const gone = new Set(edit.nodes);
      const nodes = Object.fromEntries(Object.entries(doc.nodes).filter(([id]) => !gone.has(id)));
      const touches = (edge: PipelineEdge) =>
        gone.has(parseEndpoint(edge.from).node) || gone.has(parseEndpoint(edge.to).node);
      return { ...doc, nodes, edges: without(doc.edges, edit.edges).filter((edge) => !touches(edge)) };
    }
    case "move": {
      const moved = Object.entries(edit.positions).flatMap(([id, position]) => {
        const node = own(doc.nodes, id);
        return node ? [[id, { ...node, position }] as const] : [];
      });
      return { ...doc, nodes: { ...doc.nodes, ...Object.fromEntries(moved) } };
    }
    case "param":
      return withNode(doc, edit.node, (node) => {
        const { [edit.name]: _, ...rest } = node.params;
        return { ...node, params: edit.value === undefined ? rest : { ...rest, [edit.name]: edit.value } };
      });
    case "title":
      return withNode(doc, edit.node, ({ title: _, ...node }) => (edit.title ? { ...node, title: edit.title } : node));
    case "connect":
      return { ...doc, edges: withEdges(without(doc.edges, edit.replace), [edit.edge]) };
    case "target":
      return { ...doc, target: edit.target };
  }
}

function withNode(doc: PipelineDoc, id: string, change: (node: PipelineNode) => PipelineNode): PipelineDoc {
  const node = own(doc.nodes, id);
  return node ? { ...doc, nodes: { ...doc.nodes, [id]: change(node) } } : doc;
}

function same(a: PipelineEdge, b: PipelineEdge): boolean {
  return a.from === b.from && a.to === b.to;
}
function without(edges: readonly PipelineEdge[], gone: readonly PipelineEdge[]): PipelineEdge[] {
  return edges.filter((edge) => !gone.some((other) => same(edge, other)));
}
function withEdges(edges: readonly PipelineEdge[], more: readonly PipelineEdge[]): PipelineEdge[] {
  return [...without(edges, more), ...more];
}

/** For the undo menu: "move 3 nodes", "set bits". */
export function describeEdit(edit: Edit): string {
  switch (edit.op) {
    case "add":
      return `add ${count(Object.keys(edit.nodes))}`;
    case "remove":
      return edit.nodes.length > 0 ? `delete ${count(edit.nodes)}` : "remove wire";
    case "move":
      return `move ${count(Object.keys(edit.positions))}`;
    case "param":
      return edit.value === undefined ? `reset ${edit.name}` : `set ${edit.name}`;
    case "title":
      return `rename ${edit.node}`;
    case "connect":
      return `wire ${edit.edge.to}`;
    case "target":
      return `target ${edit.target}`;
  }
}

function count(ids: readonly string[]): string {
  return ids.length === 1 ? (ids[0] ?? "") : `${ids.length} nodes`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
