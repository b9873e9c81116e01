/** f(x), f(x) -> one f(x): two nodes with the same operator, attributes and inputs compute the same. */
import type { Node } from "../../ir/graph.ts";
import { nodeKey } from "../nodeKey.ts";
import { bypass, type Rule } from "./rule.ts";

export const mergeCommonSubexpressions: Rule = {
  name: "merge-common-subexpressions",
  apply({ graph, note }) {
    const seen = new Map<string, Node>();
    let count = 0;
    for (const node of [...graph.nodes]) {
      const key = nodeKey(node, ({ name }) => name);
      const twin = key === undefined ? undefined : seen.get(key);
      if (key === undefined) continue;
      if (!twin) seen.set(key, node);
      else if (mergeInto(node, twin)) count++;
      else note(node, "computes what another node does, but is a graph output too");
    }
    return count;
  },
};

function mergeInto(node: Node, twin: Node): boolean {
  if (node.outputs.length === 1) return bypass(node, twin.output());
  if (node.outputs.some((out) => out?.isGraphOutput)) return false;
  for (const [i, out] of node.outputs.entries()) {
    const by = twin.outputs[i];
    if (out && by) node.graph.replaceAllUses(out, by);
  }
  node.graph.removeNode(node);
  return true;
}
