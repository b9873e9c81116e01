/** Constants, casts, searches and the operators of detection heads. */

import { DataType } from "../ir/dataType.ts";
import type { Dim, Shape } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { axisIn, fixedDims, isKnown, numericProduct, withDim } from "./dims.ts";
import { MAX_ELEMENTS, numeric } from "./elements.ts";
import {
  type Elements,
  elemTypeOf,
  type Inferred,
  type OpDef,
  type ShapeContext,
  ShapeError,
  shapeOf,
  tensor,
} from "./op.ts";
import { pointwisePrune } from "./pruneElementwise.ts";

/** What is known of a constant: its elements too where it is small and in memory. */
export function constantOf(value: Tensor): Inferred {
  const sound = value.dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
  const small = sound && numericProduct(value.dims) <= MAX_ELEMENTS;
  const elements = small && !value.strings ? value.numbers : undefined;
  return { type: { elemType: value.dataType, shape: value.dims }, ...(elements && { elements }) };
}

function constant(ctx: ShapeContext): Inferred {
  const { node } = ctx;
  const value = node.tensor("value");
  if (value) return constantOf(value);
  const list = (elemType: number, elements: readonly number[] | undefined): Inferred | undefined =>
    elements && { ...tensor(elemType, [elements.length]), elements };
  const single = (elemType: number, element: number | undefined): Inferred | undefined =>
    element === undefined ? undefined : { ...tensor(elemType, []), elements: [element] };
  const strings = node.attributes.get("value_strings");
  return (
    single(DataType.FLOAT, node.float("value_float")) ??
    single(DataType.INT64, node.int("value_int")) ??
    list(DataType.FLOAT, node.floats("value_floats")) ??
    list(DataType.INT64, node.ints("value_ints")) ??
    (node.string("value_string") === undefined ? undefined : tensor(DataType.STRING, [])) ??
    (strings?.type === "strings" ? tensor(DataType.STRING, [strings.value.length]) : {})
  );
}

const FRACTIONAL: readonly number[] = [DataType.FLOAT, DataType.FLOAT16, DataType.DOUBLE, DataType.BFLOAT16];

/** Integers drop the fraction; what becomes a boolean is 0 or 1. */
function castElements(elements: Elements | undefined, to: number): Elements | undefined {
  if (to === DataType.STRING) return undefined;
  if (to === DataType.BOOL) return elements?.map((x) => numeric((n) => Number(n !== 0))(x));
  if (FRACTIONAL.includes(to)) return elements;
  return elements?.map((x) => (isKnown(x) ? Math.trunc(x) : x));
}

function cast(ctx: ShapeContext, to: number | undefined): Inferred {
  const elements = to === undefined ? undefined : castElements(ctx.input(0).elements, to);
  return { ...tensor(to, shapeOf(ctx, 0)), ...(elements && { elements }) };
}

function topK(ctx: ShapeContext): readonly Inferred[] {
  const shape = shapeOf(ctx, 0);
  const k: Dim = ctx.node.int("k") ?? ctx.input(1).elements?.[0] ?? null;
  const axis = shape && axisIn(ctx.node.int("axis") ?? -1, shape.length);
  const size = axis === undefined ? undefined : shape?.[axis];
  if (isKnown(k) && isKnown(size) && k > size) throw new ShapeError(`k is ${k}, the axis has ${size} elements`);
  const out = shape && axis !== undefined ? withDim(shape, axis, k) : undefined;
  return [tensor(elemTypeOf(ctx, 0), out), tensor(DataType.INT64, out)];
}

function oneHot(ctx: ShapeContext): Shape | undefined {
  const indices = shapeOf(ctx, 0);
  if (!indices) return undefined;
  const axis = axisIn(ctx.node.int("axis") ?? -1, indices.length + 1);
  return [...indices.slice(0, axis), ctx.input(1).elements?.[0] ?? null, ...indices.slice(axis)];
}

function unique(ctx: ShapeContext): readonly Inferred[] {
  const shape = shapeOf(ctx, 0);
  const axis = ctx.node.int("axis");
  const values = axis === undefined ? [null] : shape && withDim(shape, axisIn(axis, shape.length), null);
  const indices = tensor(DataType.INT64, [null]);
  return [tensor(elemTypeOf(ctx, 0), values), indices, indices, indices];
}

/** Only the number of dimensions is known of where a tensor is not zero. */
function nonZero(ctx: ShapeContext): Inferred {
  const shape = shapeOf(ctx, 0);
  const fixed = tensor(DataType.INT64, [shape ? shape.length : null, null]);
  const dims = fixedDims(shape);
  const { elements } = ctx.input(0);
  if (dims?.length !== 1 || !elements?.every(isKnown)) return fixed;
  const found = elements.flatMap((x, i) => (x === 0 ? [] : [i]));
  return { ...tensor(DataType.INT64, [1, found.length]), elements: found };
}

export const miscOps: readonly OpDef[] = [
  { opType: "Constant", shape: (ctx) => [constant(ctx)] },
  { opType: "Cast", prune: pointwisePrune, shape: (ctx) => [cast(ctx, ctx.node.int("to"))] },
  { opType: "CastLike", shape: (ctx) => [cast(ctx, elemTypeOf(ctx, 1))] },
  {
    opType: "BitCast",
    shape: (ctx) => [tensor(ctx.node.int("to"), shapeOf(ctx, 0))],
  },
  { opType: "TopK", shape: topK },
  { opType: "NonZero", shape: (ctx) => [nonZero(ctx)] },
  { opType: "NonMaxSuppression", shape: () => [tensor(DataType.INT64, [null, 3])] },
  { opType: "OneHot", shape: (ctx) => [tensor(elemTypeOf(ctx, 2), oneHot(ctx))] },
  { opType: "Unique", shape: unique },
  {
    opType: "EyeLike",
    shape: (ctx) => [tensor(ctx.node.int("dtype") ?? elemTypeOf(ctx, 0), shapeOf(ctx, 0))],
  },
  { opType: "Det", shape: (ctx) => [tensor(elemTypeOf(ctx, 0), shapeOf(ctx, 0)?.slice(0, -2))] },
  {
    opType: "ImageDecoder",
    shape: (ctx) => [tensor(DataType.UINT8, [null, null, ctx.node.string("pixel_format") === "Grayscale" ? 1 : 3])],
  },
];
