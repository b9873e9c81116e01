/** Constants that nothing reads: what a rewrite leaves behind, and what a file would carry for nothing. */
import type { Graph, Value } from "../ir/graph.ts";

/** Of this graph alone. Graph inputs with a default value are the callers', and count as read. */
export function unreadInitializers(graph: Graph): readonly Value[] {
  return graph.initializers.filter(
    ({ uses, isGraphInput, isGraphOutput }) => uses.length === 0 && !isGraphInput && !isGraphOutput,
  );
}

/** Takes them out of this graph; returns how many. */
export function dropUnreadInitializers(graph: Graph): number {
  const unread = unreadInitializers(graph);
  for (const value of unread) graph.removeValue(value);
  return unread.length;
}

/** The same in the bodies of If, Loop and Scan. */
export function dropUnreadEverywhere(graph: Graph): void {
  dropUnreadInitializers(graph);
  for (const node of graph.nodes) for (const body of node.subgraphs) dropUnreadEverywhere(body);
}
