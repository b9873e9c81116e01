/** A node none of whose outputs is read or is a graph output computes nothing: operators of ONNX have no side effects. */
import type { Node } from "../../ir/graph.ts";
import type { Rule } from "./rule.ts";

function isDead(node: Node): boolean {
  return node.outputs.every((out) => !out || (out.uses.length === 0 && !out.isGraphOutput));
}

export const dropDeadNodes: Rule = {
  name: "drop-dead-nodes",
  apply({ graph }) {
    let count = 0;
    for (const node of graph.nodes.toReversed()) {
      if (!isDead(node)) continue;
      graph.removeNode(node);
      count++;
    }
    return count;
  },
};
