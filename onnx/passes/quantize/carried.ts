/** The operators between layers that only move elements, seen from the layers back. */
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { type Layer, quantizableLayers, quantizeRuleOf } from "./layers.ts";

/** Data that a carry operator moves; empty for every other node. */
export function carriedInputs(node: Node): readonly Value[] {
  const rule = quantizeRuleOf(node);
  if (rule?.kind !== "carry") return [];
  return (rule.inputs(node) ?? []).flatMap((index) => node.inputs[index] ?? []);
}

/** What layers read, at once or through operators that only move elements (and that `carries` lets move integers). */
export function wantedInIntegers(
  graph: Graph,
  layers: readonly Layer[],
  carries: (node: Node) => boolean = () => true,
): ReadonlySet<Value> {
  const readers = new Map(layers.map((layer) => [layer.node, layer]));
  const wanted = new Set<Value>();
  for (const node of [...graph.nodes].reverse()) {
    const layer = readers.get(node);
    if (layer) wanted.add(layer.input);
    else if (carries(node) && node.outputs.some((out) => out && wanted.has(out)))
      for (const input of carriedInputs(node)) wanted.add(input);
  }
  return wanted;
}

export interface ObservedTensor {
  readonly value: Value;
  readonly channelAxis: 1 | -1;
}

/**
 * The tensors whose ranges a plan may ask for, whatever layers it leaves out: inputs and outputs of all layers, and what
 * enters the operators between them. Each once.
 */
export function observedTensors(graph: Graph): readonly ObservedTensor[] {
  const { layers } = quantizableLayers(graph);
  const observed = new Map<Value, ObservedTensor>();
  for (const { input, output, rule } of layers) {
    for (const value of [input, output]) observed.set(value, { value, channelAxis: rule.channelAxis });
  }
  for (const value of wantedInIntegers(graph, layers)) {
    const entering = !value.producer || carriedInputs(value.producer).length === 0;
    if (entering && !value.constant && !observed.has(value)) observed.set(value, { value, channelAxis: 1 });
  }
  return [...observed.values()];
}
