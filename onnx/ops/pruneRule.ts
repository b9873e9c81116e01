/** How taking channels out along one dimension of a value carries over to the other values of a node. */
import type { Node } from "../ir/graph.ts";

/** One dimension of one input or output of a node. */
export interface Cut {
  readonly side: "input" | "output";
  readonly index: number;
  readonly axis: number;
}

/** What must be cut along with it; a string says why the node cannot be cut there. */
export type PruneRule = (node: Node, cut: Cut) => readonly Cut[] | string;
