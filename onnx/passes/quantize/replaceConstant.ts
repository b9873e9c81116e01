/** Gives a node another input and drops the constant it read before, where nothing else reads it. */
import type { Node, Value } from "../../ir/graph.ts";

export function replaceConstant(node: Node, index: number, by: Value): void {
  const old = node.inputs[index];
  node.setInput(index, by);
  if (!old || old.uses.length > 0 || old.isGraphOutput) return;
  if (old.producer) old.graph.removeNode(old.producer);
  else if (old.graph.values.get(old.name) === old && !old.isGraphInput) old.graph.removeValue(old);
}
