/**
 * Multiply-accumulates of a graph while axes shrink, without changing it: what a plan saves before it is carried out.
 * Each may be worth more or less than another (milliseconds on a device).
 */
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { opDef } from "../../ops/index.ts";
import type { PruneGroup, Unit } from "./groups.ts";

/** What one multiply-accumulate of a node counts. */
export type Worth = (node: Node) => number;

export class ShrinkingCosts {
  /** Current dimensions of every value of known rank. */
  readonly #dims = new Map<Value, number[]>();
  readonly #macs = new Map<Node, number>();
  readonly #readers = new Map<PruneGroup, readonly Node[]>();
  readonly #worth: Worth;
  /** Of the whole graph, as it stands. */
  macs = 0;

  constructor(graph: Graph, groups: readonly PruneGroup[], worth: Worth = () => 1) {
    this.#worth = worth;
    for (const value of graph.values.values()) {
      // A dynamic batch or length counts as 1: shares of the work stay meaningful.
      const dims = value.shape?.map((dim) => (typeof dim === "number" ? dim : 1));
      if (dims) this.#dims.set(value, dims);
    }
    for (const node of graph.nodes) {
      const macs = this.#cost(node);
      if (macs > 0) this.#macs.set(node, macs);
      this.macs += macs;
    }
    for (const group of groups) this.#readers.set(group, this.#nodesAround(group));
  }

  #nodesAround(group: PruneGroup): readonly Node[] {
    const nodes = new Set<Node>();
    for (const { axis } of group.units[0] ?? []) {
      for (const use of axis.value.uses) nodes.add(use.node);
      if (axis.value.producer) nodes.add(axis.value.producer);
    }
    return [...nodes].filter((node) => this.#macs.has(node));
  }

  #cost(node: Node): number {
    const dims = (value: Value | null | undefined) => (value ? this.#dims.get(value) : undefined);
    const cost = opDef(node.domain, node.opType)?.cost?.({
      node,
      inputDims: (index) => dims(node.inputs[index]),
      outputDims: (index) => dims(node.outputs[index]),
    });
    return (cost?.macs ?? 0) * this.#worth(node);
  }

  /** Of one node, as it stands. */
  of(node: Node): number {
    return this.#macs.get(node) ?? 0;
  }

  #shrink(units: readonly Unit[], sign: 1 | -1): void {
    for (const { axis, indices } of units.flat()) {
      const dims = this.#dims.get(axis.value);
      if (dims) dims[axis.axis] = (dims[axis.axis] ?? 0) - sign * indices.length;
    }
  }

  /** What taking these units of a group out would save now. */
  saving(group: PruneGroup, units: readonly Unit[]): number {
    const nodes = this.#readers.get(group) ?? [];
    this.#shrink(units, 1);
    let saved = 0;
    for (const node of nodes) saved += (this.#macs.get(node) ?? 0) - this.#cost(node);
    this.#shrink(units, -1);
    return saved;
  }

  /** Takes units out (1) or puts them back (-1). */
  take(group: PruneGroup, units: readonly Unit[], sign: 1 | -1): void {
    this.#shrink(units, sign);
    for (const node of this.#readers.get(group) ?? []) {
      const macs = this.#cost(node);
      this.macs += macs - (this.#macs.get(node) ?? 0);
      this.#macs.set(node, macs);
    }
  }
}
