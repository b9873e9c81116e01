/**
 * Which values a runtime really holds in memory. Constant subgraphs are folded when a model is loaded; a reshape is a
 * view; a DequantizeLinear is part of the operator that reads it and a QuantizeLinear of the one that feeds it, so
 * between two quantized operators only the 8-bit tensor exists.
 */
import type { Graph, Node, Value } from "./ir/graph.ts";
import { opDef } from "./ops/index.ts";

/** Nodes that read nothing but constants, hence run before the first inference. */
export function foldedNodes(graph: Graph): ReadonlySet<Node> {
  const folded = new Set<Node>();
  for (const node of graph.nodes) {
    if (node.subgraphs.length > 0 || RANDOM.has(node.opType)) continue;
    if (node.inputs.every((value) => !value || isConstant(value, folded))) folded.add(node);
  }
  return folded;
}

const RANDOM: ReadonlySet<string> = new Set(["RandomNormal", "RandomUniform"]);

export function isConstant(value: Value, folded: ReadonlySet<Node>): boolean {
  return value.initializer !== undefined || (value.producer !== undefined && folded.has(value.producer));
}

/** The value that holds the data of `value`: itself, or the one it is a view or another precision of. */
export function materialized(value: Value): Value {
  let current = value;
  for (let node = current.producer; node && passesThrough(node, current); node = current.producer) {
    const input = node.inputs[0];
    if (!input) break;
    current = input;
  }
  return quantizedForm(current) ?? current;
}

function passesThrough(node: Node, output: Value): boolean {
  if (output.isGraphOutput || output !== node.outputs[0]) return false;
  return isOp(node, "DequantizeLinear") || opDef(node.domain, node.opType)?.memory === "view";
}

/** The 8-bit tensor, where a computed value is read by one QuantizeLinear only. */
function quantizedForm(value: Value): Value | undefined {
  const [use, ...others] = value.uses;
  if (!use || others.length > 0 || !value.producer || value.isGraphOutput) return undefined;
  if (!isOp(use.node, "QuantizeLinear") || use.index !== 0) return undefined;
  return use.node.outputs[0] ?? undefined;
}

/** True for ai.onnx's operator and for ONNX Runtime's twin of the same name. */
export function isOp(node: Node, opType: string): boolean {
  return node.opType === opType && (node.domain === "" || node.domain === "ai.onnx" || node.domain === "com.microsoft");
}
