/** Attributes of nodes: the kinds of onnx.proto's AttributeProto, and plain values for new ones. */
import type { Graph } from "./graph.ts";
import { Tensor } from "./tensor.ts";

export type Attribute = { readonly origin?: unknown } & (
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "int"; readonly value: number }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "tensor"; readonly value: Tensor }
  | { readonly type: "graph"; readonly value: Graph }
  | { readonly type: "floats"; readonly value: readonly number[] }
  | { readonly type: "ints"; readonly value: readonly number[] }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "tensors"; readonly value: readonly Tensor[] }
  | { readonly type: "graphs"; readonly value: readonly Graph[] }
  /** Sparse tensors, type protos, references to a function's attribute: kept as read, never interpreted. */
  | { readonly type: "opaque" }
);

/** Plain values for new nodes: integers become `int`/`ints`; wrap a number that must be a float as `{ float: x }`. */
export type AttributeInput =
  | number
  | string
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | readonly number[]
  | Tensor
  | Attribute;

export function attributeFrom(input: AttributeInput): Attribute {
  if (typeof input === "string") return { type: "string", value: input };
  if (typeof input === "number") {
    if (!Number.isInteger(input)) throw new TypeError(`wrap the float ${input} as { float }`);
    return { type: "int", value: input };
  }
  if (isIntList(input)) return { type: "ints", value: input };
  if (input instanceof Tensor) return { type: "tensor", value: input };
  if ("type" in input) return input;
  if ("float" in input) return { type: "float", value: input.float };
  return { type: "floats", value: input.floats };
}

function isIntList(input: AttributeInput): input is readonly number[] {
  return Array.isArray(input);
}
