/**
 * What Edgewright knows of an ONNX operator: one object per operator, in the file of its family.
 *
 * Terminology: *elements* are the values of a small tensor that shapes are computed from, row-major; each is a number,
 * a symbol or null, as a `Dim` is, so `Shape -> Gather -> Concat -> Reshape` keeps `"batch"` as it is.
 */
import type { Dim, Graph, Node, Shape, TensorType } from "../ir/graph.ts";
import type { PruneRule } from "./pruneRule.ts";
import type { QuantizeRule } from "./quantizeRule.ts";

export type Elements = readonly Dim[];

/** What is known of one value. An empty object: nothing. */
export interface Inferred {
  readonly type?: TensorType;
  readonly elements?: Elements;
  /** For a value that is a sequence (or an optional sequence): the type of its tensors. */
  readonly sequence?: TensorType;
}

export interface ShapeContext {
  readonly node: Node;
  /** Version of the operator set of the node's domain that the model imports. */
  readonly opset: number;
  /** Empty for an omitted input. */
  input(index: number): Inferred;
  /** Infers a body with these inputs; returns its outputs. */
  inferBody(graph: Graph, inputs: readonly Inferred[]): readonly Inferred[];
}

/** One entry per output; absent where the rule knows nothing. Throws `ShapeError` where the node cannot be valid. */
export type ShapeRule = (ctx: ShapeContext) => readonly (Inferred | undefined)[];

export interface CostContext {
  readonly node: Node;
  /** Undefined where a dimension is unknown. */
  inputDims(index: number): readonly number[] | undefined;
  outputDims(index: number): readonly number[] | undefined;
}

export interface OpCost {
  /** Multiply-accumulates. */
  readonly macs: number;
  /** Arithmetic besides them, one per element and operation. */
  readonly ops: number;
}

/** Undefined where a dimension it needs is unknown. */
export type CostRule = (ctx: CostContext) => OpCost | undefined;

export interface OpDef {
  readonly opType: string;
  /** "" (ai.onnx) where absent. */
  readonly domain?: string;
  readonly shape: ShapeRule;
  /** Absent: moves data only. */
  readonly cost?: CostRule;
  /**
   * Memory it touches besides the plain case (reads its inputs, writes its outputs): a "view" is its first input under
   * another shape, "parts" joins or splits tensors that a compiler can lay in one buffer, "selects" reads only as much as
   * it writes, "none" looks at shapes, not data.
   */
  readonly memory?: "view" | "parts" | "selects" | "none";
  /** One output element from the input elements at the same place: compilers fuse it into what computes them. */
  readonly pointwise?: true;
  /** Of a quantized operator: the inputs that hold data. The others are scales and zero points. */
  readonly data?: readonly number[];
  /** Parameters in its packed weight (input 1), where they are more than the stored elements. */
  readonly packedParameters?: (node: Node) => number | undefined;
  readonly prune?: PruneRule;
  readonly quantize?: QuantizeRule;
}

export class ShapeError extends Error {
  readonly code = "shape";
  readonly fix = "Check the node's inputs and attributes against the operator's definition.";
}

export function shapeOf(ctx: ShapeContext, index: number): Shape | undefined {
  return ctx.input(index).type?.shape;
}

export function elemTypeOf(ctx: ShapeContext, index: number): number | undefined {
  return ctx.input(index).type?.elemType;
}

export function hasInput(ctx: ShapeContext, index: number): boolean {
  return Boolean(ctx.node.inputs[index]);
}

/** A tensor of this type; nothing where the element type is unknown. */
export function tensor(elemType: number | undefined, shape?: Shape): Inferred {
  if (elemType === undefined || elemType === 0) return {};
  return { type: shape ? { elemType, shape } : { elemType } };
}

/**
 * Integers that older opsets give as the attribute `name` and newer ones as input `index`.
 * Undefined: given in neither way. Null: an input whose value is unknown.
 */
export function intsOf(ctx: ShapeContext, name: string, index: number): Elements | null | undefined {
  const attribute = ctx.node.ints(name);
  if (attribute) return attribute;
  if (!hasInput(ctx, index)) return undefined;
  return ctx.input(index).elements ?? null;
}
