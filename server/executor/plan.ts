/**
 * A document to units of work. A unit is what starts together: one node, or a stage.
 *
 * Terminology: a *replayable* node makes streams that are never kept (frames, preprocessed tensors): cheap, it is made
 * again inside each stage that reads it, and its own unit only takes its artifacts and one item. A *staged* node is any
 * other with a stream at one of its ports. A *stage* is a connected set of staged nodes of one level; the level rises by
 * one where a node needs an artifact that a stage gives at its end only (calibrate -> quantize -> infer).
 */
import type { NodeDef } from "../../nodes/define.ts";
import { isStreamKind } from "../../nodes/ports.ts";
import { parseParams } from "../../pipelines/document/check.ts";
import { type Endpoint, type PipelineDoc, parseEndpoint } from "../../pipelines/document/doc.ts";
import { type NodeDefs, topologicalOrder } from "../../pipelines/document/graph.ts";
import { own } from "../../pipelines/document/own.ts";

export interface PlannedInput extends Endpoint {
  readonly stream: boolean;
}

export interface PlannedNode {
  readonly id: string;
  readonly def: NodeDef;
  /** With defaults. */
  readonly params: Readonly<Record<string, unknown>>;
  /** By input port; several only where the port takes many. */
  readonly inputs: Readonly<Record<string, readonly PlannedInput[]>>;
  readonly replayable: boolean;
  /** Stream outputs that are kept as artifacts. */
  readonly keeps: readonly string[];
}

export interface Plan {
  /** Topological. */
  readonly nodes: ReadonlyMap<string, PlannedNode>;
  /** Node ids of each unit, topological. */
  readonly units: readonly (readonly string[])[];
}

/** `doc` has passed the check. */
export function planRun(defs: NodeDefs, doc: PipelineDoc): Plan {
  const nodes = new Map<string, PlannedNode>();
  for (const id of topologicalOrder(doc).order) nodes.set(id, planNode(defs, doc, id));
  return { nodes, units: planUnits(nodes) };
}

function planNode(defs: NodeDefs, doc: PipelineDoc, id: string): PlannedNode {
  const node = own(doc.nodes, id);
  const def = node && own(defs, node.type);
  const parsed = node && def && parseParams(def, node);
  if (!parsed || !("params" in parsed)) throw new Error(`${id} was planned without a check`);
  const inputs: Record<string, PlannedInput[]> = {};
  for (const edge of doc.edges) {
    const port = parseEndpoint(edge.to);
    if (port.node !== id) continue;
    const from = parseEndpoint(edge.from);
    const kind = own(defs, own(doc.nodes, from.node)?.type ?? "")?.outputs[from.port]?.kind;
    inputs[port.port] = [...(inputs[port.port] ?? []), { ...from, stream: kind !== undefined && isStreamKind(kind) }];
  }
  const streams = Object.entries(def.outputs).filter(([, port]) => isStreamKind(port.kind));
  const keeps = streams
    .filter(([, { kind }]) => kind === "detections" || (kind === "tensors" && def.effects === "infers"))
    .map(([port]) => port);
  return { id, def, params: parsed.params, inputs, replayable: streams.length > 0 && keeps.length === 0, keeps };
}

function isStaged(node: PlannedNode): boolean {
  return !node.replayable && (node.keeps.length > 0 || allInputs(node).some((input) => input.stream));
}

export function allInputs(node: PlannedNode): readonly PlannedInput[] {
  return Object.values(node.inputs).flat();
}

function planUnits(nodes: ReadonlyMap<string, PlannedNode>): string[][] {
  const levels = new Map<string, number>();
  const unitOf = new Map<string, string[]>();
  for (const node of nodes.values()) {
    let level = 0;
    for (const input of allInputs(node)) {
      const from = nodes.get(input.node);
      const rises = from !== undefined && !input.stream && isStaged(from);
      level = Math.max(level, (levels.get(input.node) ?? 0) + (rises ? 1 : 0));
    }
    levels.set(node.id, level);
    const unit = [node.id];
    unitOf.set(node.id, unit);
    if (!isStaged(node)) continue;
    for (const input of allInputs(node)) {
      const from = nodes.get(input.node);
      const other = unitOf.get(input.node);
      if (!from || !other || !input.stream || !isStaged(from) || levels.get(from.id) !== level) continue;
      join(unitOf, other, node.id);
    }
  }
  const order = [...nodes.keys()];
  return [...new Set(unitOf.values())].map((unit) => unit.sort((a, b) => order.indexOf(a) - order.indexOf(b)));
}

/** Merges the unit of `id` into `unit`. */
function join(unitOf: Map<string, string[]>, unit: string[], id: string): void {
  const mine = unitOf.get(id);
  if (!mine || mine === unit) return;
  for (const member of mine) {
    unit.push(member);
    unitOf.set(member, unit);
  }
}
