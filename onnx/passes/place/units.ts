/**
 * The parts of a graph that a placement moves: a layer with the clamp behind it, an operator that carries integers from
 * layer to layer, or any other operator. On which side a part computes decides what its neighbours must convert.
 */
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { type Layer, nodeName, quantizableLayers, quantizeRuleOf } from "../quantize/layers.ts";
import type { Layout } from "../quantize/layout.ts";
import { planQuantization } from "../quantize/plan.ts";

/** `layer` and `carrier` compute in integers or in floats, `other` always in floats. */
export type UnitKind = "layer" | "carrier" | "other";

export interface Unit {
  readonly kind: UnitKind;
  /** As a placement names it. */
  readonly name: string;
  readonly node: Node;
  readonly layer?: Layer;
  readonly outputs: readonly Value[];
}

export interface Units {
  /** In graph order. */
  readonly all: readonly Unit[];
  /** The unit that computes a value; undefined for what comes in from outside. */
  readonly writerOf: ReadonlyMap<Value, Unit>;
  readonly readersOf: ReadonlyMap<Value, readonly Unit[]>;
}

/** Runtimes move a quantizer back over these, and a dequantizer on: they compute where their neighbours do. */
const MOVED_OVER: readonly string[] = ["MaxPool", "Reshape", "Transpose", "Squeeze", "Unsqueeze"];

export function isMovedOver(unit: Unit): boolean {
  return MOVED_OVER.includes(unit.node.opType);
}

export function unitsOf(graph: Graph, layout: Layout): Units {
  const { layers } = quantizableLayers(graph);
  const byNode = new Map(layers.map((layer) => [layer.node, layer]));
  const clamps = new Set(
    layers.filter(({ node, output }) => output !== node.output()).map(({ output }) => output.producer),
  );
  const { carriers } = planQuantization(graph, layers, { layout, rangeOf: () => ({ lo: -1, hi: 1, bound: 1 }) });
  const all = graph.nodes.flatMap((node): Unit[] => {
    if (clamps.has(node)) return [];
    const layer = byNode.get(node);
    const name = nodeName(node);
    if (layer) return [{ kind: "layer", name, node, layer, outputs: [layer.output] }];
    const outputs = node.outputs.flatMap((out) => out ?? []);
    const carries = carriers.has(node) || (MOVED_OVER.includes(node.opType) && quantizeRuleOf(node)?.kind === "carry");
    return [{ kind: carries ? "carrier" : "other", name, node, outputs }];
  });
  const writerOf = new Map(all.flatMap((unit) => unit.outputs.map((value) => [value, unit] as const)));
  const readersOf = new Map<Value, Unit[]>();
  for (const unit of all) {
    for (const value of new Set(unit.node.inputs)) {
      if (!value || value.constant) continue;
      readersOf.set(value, [...(readersOf.get(value) ?? []), unit]);
    }
  }
  return { all, writerOf, readersOf };
}

/** 0 where the shape is not known. */
export function elementsOf({ shape }: Value): number {
  return shape?.reduce<number>((product, dim) => product * (typeof dim === "number" ? dim : 0), 1) ?? 0;
}
