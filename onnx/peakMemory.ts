/** The most activations alive at once when nodes run in the order of the graph, none of them in place. */
import type { Graph, Value } from "./ir/graph.ts";
import { foldedNodes, isConstant, materialized } from "./materialized.ts";

/**
 * Bytes; undefined where the size of a value is unknown. A value lives from the node that writes it (inputs: from the
 * start) to the last that reads it (outputs: to the end). Bodies of If, Loop and Scan are left out.
 */
export function peakActivationBytes(graph: Graph, bytesOf: (value: Value) => number | undefined): number | undefined {
  const folded = foldedNodes(graph);
  const nodes = graph.nodes.filter((node) => !folded.has(node));
  const end = nodes.length;
  const lastUse = new Map<Value, number>();
  const touch = (value: Value | null, at: number) => {
    if (!value || value.graph !== graph || isConstant(value, folded)) return;
    const held = materialized(value);
    lastUse.set(held, Math.max(lastUse.get(held) ?? at, at));
  };
  for (const [at, node] of nodes.entries()) for (const value of [...node.inputs, ...node.outputs]) touch(value, at);
  for (const value of graph.outputs) touch(value, end);

  let alive = 0;
  let peak = 0;
  const held = new Map<Value, number>();
  const hold = (value: Value | null): boolean => {
    if (!value || isConstant(value, folded)) return true;
    const target = materialized(value);
    if (held.has(target)) return true;
    const bytes = bytesOf(target);
    if (bytes === undefined) return false;
    held.set(target, bytes);
    alive += bytes;
    return true;
  };
  for (const value of graph.feeds) if (!hold(value)) return undefined;
  peak = alive;
  for (const [at, node] of nodes.entries()) {
    for (const value of node.outputs) if (!hold(value)) return undefined;
    peak = Math.max(peak, alive);
    for (const [value, bytes] of held) {
      if ((lastUse.get(value) ?? -1) > at) continue;
      held.delete(value);
      alive -= bytes;
    }
  }
  return peak;
}
