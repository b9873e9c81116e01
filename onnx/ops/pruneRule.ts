/**
 * How the channels of an operator's inputs, weights and outputs depend on one another: what must leave together.
 *
 * Terminology: a *channel* is one index along one axis of a value, weights included; a *coupling* says that two channels
 * stand or fall together; a *pin* says that a channel must stay, and why. A rule only states couplings and pins of one
 * node; `passes/prune/groups.ts` solves them over the graph. An axis that a rule does not mention, with more than one
 * index, would be free to shrink without its node noticing: rules name every axis of every input and output.
 */
import type { Node, Shape, Value } from "../ir/graph.ts";

/** One axis of one value; `axis` counts from 0. */
export interface AxisRef {
  readonly value: Value;
  readonly axis: number;
}

export interface Coupler {
  /** Version of the ai.onnx operator set: defaults of attributes depend on it. */
  readonly opset: number;
  /** Inferred shape; undefined where the rank is unknown. */
  shape(value: Value): Shape | undefined;
  /** Channel i of `a` stands or falls with channel `map(i)` of `b` (i itself by default), for every i of `a`. */
  join(a: AxisRef, b: AxisRef, map?: (index: number) => number): void;
  pin(axis: AxisRef, why: string): void;
  /** Every axis of a value. */
  pinAll(value: Value | null | undefined, why: string): void;
  /** Why no channel of the axis can leave, as far as is known by now; undefined where one can. */
  whyPinned(axis: AxisRef): string | undefined;
}

/** What is left of each axis when channels have been taken out. */
export interface Kept {
  /** Version of the ai.onnx operator set. */
  readonly opset: number;
  /** Shape after the cut; undefined where the rank is unknown. */
  shape(value: Value): Shape | undefined;
  /** The channels kept, ascending; undefined where all are. */
  indices(axis: AxisRef): readonly number[] | undefined;
}

export interface PruneRule {
  couple(node: Node, coupler: Coupler): void;
  /**
   * What depends on pins that other nodes set (which factor of an axis a Reshape leaves free), asked in rounds behind all
   * `couple`. False where more than one answer is left, unless `force`: then the likeliest is taken.
   */
  settle?(node: Node, coupler: Coupler, force: boolean): boolean;
  /** Mends what the node itself says about sizes (`group`, split sizes, a target shape). Weights are cut for it. */
  resize?(node: Node, kept: Kept): void;
}
