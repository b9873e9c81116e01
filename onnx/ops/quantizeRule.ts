/**
 * What an operator tells the quantizer. An operator without a rule is left in float and listed.
 *
 * Terminology: a *compute* operator multiplies an activation by a constant weight and is where integers pay; a *carry*
 * operator moves or selects elements, so that one scale serves its inputs and its output; an *elementwise* function of
 * one tensor has a *response*, by which the range of the tensor before it is judged.
 */
import type { Node } from "../ir/graph.ts";

export interface ComputeRule {
  readonly kind: "compute";
  /** Index of the input that carries the activation, of the weight, and of the bias. */
  readonly activation: number;
  readonly weight: number;
  readonly bias?: number;
  /** Axis of the activation's channels that the weight sums over: 1 (after the batch), or -1 (the last). */
  readonly channelAxis: 1 | -1;
  /** Undefined for a weight of a rank that the rule does not read; the node then stays in float. */
  readonly weightView: (node: Node, dims: readonly number[]) => WeightView | undefined;
}

/** A weight as `groups` blocks of `outputs` x `inputs` matrices with `taps` numbers an entry, wherever they lie. */
export interface WeightView {
  readonly groups: number;
  /** Output and input channels of one group. */
  readonly outputs: number;
  readonly inputs: number;
  readonly taps: number;
  /** Distance in elements to the next of each. */
  readonly strides: { readonly group: number; readonly output: number; readonly input: number; readonly tap: number };
  /** Axis of the output channels, one scale each; undefined where one scale must serve the whole weight. */
  readonly outputAxis: number | undefined;
}

export interface CarryRule {
  readonly kind: "carry";
  /** Indices of the inputs that carry data; undefined where this node computes new values (a cubic Resize). */
  readonly inputs: (node: Node) => readonly number[] | undefined;
}

export interface ElementwiseRule {
  readonly kind: "elementwise";
  /** The function; undefined where its parameters are not constant. */
  readonly response: (node: Node) => ((x: number) => number) | undefined;
  /** Only cuts the range off (Relu, Clip): the quantizer behind it does the same. */
  readonly clamps?: true;
}

export interface FloatRule {
  readonly kind: "float";
  /** Why integers do not serve here, for the report. */
  readonly reason: string;
}

export type QuantizeRule = ComputeRule | CarryRule | ElementwiseRule | FloatRule;
