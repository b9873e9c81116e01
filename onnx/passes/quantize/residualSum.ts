/**
 * Add -> LayerNormalization written as Sum -> LayerNormalization, which computes the same. ONNX Runtime fuses the first
 * form, where it knows both shapes, into SkipLayerNormalization, whose CPU kernel takes four times as long as the two
 * operators it replaces (52 against 12 microseconds for [32, 384]); it leaves Sum alone.
 */
import type { Graph } from "../../ir/graph.ts";
import { isOp } from "../simplify/rule.ts";

/** Returns how many were written anew. */
export function residualsAsSums(graph: Graph): number {
  let count = 0;
  for (const node of graph.nodes) {
    const [added] = node.inputs;
    if (!isOp(node, "LayerNormalization") || !added?.producer || !isOp(added.producer, "Add")) continue;
    added.producer.opType = "Sum";
    count++;
  }
  return count;
}
