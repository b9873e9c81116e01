/** Gives a node another input and drops the constant it read before, where nothing else reads it. */
import type { Node, Value } from "../../ir/graph.ts";

export function replaceConstant(node: Node, index: number, by: Value): void {
  const old = node.inputs[index];
  node.setInput(index, by);
  if (old) dropUnread(old);
}

/** Takes a constant that nothing reads out of the graph. */
export function dropUnread(value: Value): void {
  if (value.uses.length > 0 || value.isGraphOutput || value.isGraphInput || !value.constant) return;
  if (value.producer) value.graph.removeNode(value.producer);
  else value.graph.removeValue(value);
}

/** `result` takes the name and the readers of what `node` gives, and the node goes. */
export function takeOver(node: Node, result: Value): void {
  const { graph } = node;
  const old = node.output();
  const last = result.producer;
  if (!last) throw new Error(`"${result.name}" is written by nothing`);
  const read = node.inputs.flatMap((value) => value ?? []);
  node.setOutput(0, null);
  last.setOutput(0, null);
  last.setOutput(0, old);
  graph.removeValue(result);
  graph.removeNode(node);
  for (const value of read) dropUnread(value);
}
