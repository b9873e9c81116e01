/**
 * The document as the flow library wants it: a view, never the truth. Positions of a drag that has not ended lie over
 * the document's; a node whose part did not change keeps its object, so that only what changed is drawn again.
 */
import { type Edge, type Node, type NodeHandle, Position } from "@xyflow/react";
import type { NodeDef } from "../../nodes/define.ts";
import type { PortKind } from "../../nodes/ports.ts";
import { type PipelineDoc, type PipelineEdge, parseEndpoint } from "../../pipelines/document/doc.ts";
import type { NodeDefs } from "../../pipelines/document/graph.ts";
import { own } from "../../pipelines/document/own.ts";
import type { Selection } from "./editor.ts";
import { HANDLE, NODE_WIDTH, nodeHeight, type Point, portY } from "./nodeGeometry.ts";

export type FlowNode = Node<{ readonly type: string; readonly label: string }, "node">;
export type FlowEdge = Edge<{ readonly kind: PortKind | undefined }, "wire">;

export const edgeId = (edge: PipelineEdge): string => `${edge.from}>${edge.to}`;

export interface FlowOptions {
  readonly selection: Selection;
  /** Positions during a drag. */
  readonly dragged: Readonly<Record<string, Point>>;
}

export function flowNodes(
  defs: NodeDefs,
  doc: PipelineDoc,
  options: FlowOptions,
  before: readonly FlowNode[],
): FlowNode[] {
  const old = new Map(before.map((node) => [node.id, node]));
  return Object.entries(doc.nodes).map(([id, node]) => {
    const def = own(defs, node.type);
    const position = options.dragged[id] ?? node.position;
    const selected = options.selection.nodes.has(id);
    const label = node.title ?? def?.title ?? node.type;
    const last = old.get(id);
    const same =
      last !== undefined &&
      last.position.x === position.x &&
      last.position.y === position.y &&
      last.selected === selected &&
      last.data.type === node.type &&
      last.data.label === label;
    if (same) return last;
    const height = nodeHeight(def);
    return {
      id,
      type: "node",
      position,
      selected,
      data: { type: node.type, label },
      width: NODE_WIDTH,
      height,
      measured: { width: NODE_WIDTH, height },
      handles: def ? handlesOf(def) : [],
      ariaLabel: label,
    };
  });
}

/** The squares around the ports, each with its middle on the node's edge. */
export function handlesOf(def: NodeDef): NodeHandle[] {
  const at = (type: "source" | "target", position: Position, x: number) => (id: string, index: number) => ({
    id,
    type,
    position,
    x: x - HANDLE / 2,
    y: portY(index) - HANDLE / 2,
    width: HANDLE,
    height: HANDLE,
  });
  return [
    ...Object.keys(def.inputs).map(at("target", Position.Left, 0)),
    ...Object.keys(def.outputs).map(at("source", Position.Right, NODE_WIDTH)),
  ];
}

export function flowEdges(defs: NodeDefs, doc: PipelineDoc, selected: readonly PipelineEdge[]): FlowEdge[] {
  const chosen = new Set(selected.map(edgeId));
  return doc.edges.map((edge) => {
    const from = parseEndpoint(edge.from);
    const to = parseEndpoint(edge.to);
    const kind = own(own(defs, own(doc.nodes, from.node)?.type ?? "")?.outputs ?? {}, from.port)?.kind;
    const id = edgeId(edge);
    return {
      id,
      type: "wire",
      source: from.node,
      sourceHandle: from.port,
      target: to.node,
      targetHandle: to.port,
      selected: chosen.has(id),
      data: { kind },
      ariaLabel: `Wire from ${edge.from} to ${edge.to}`,
    };
  });
}
