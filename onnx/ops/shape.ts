/** Operators that rearrange or describe a tensor without computing on it. */

import { DataType } from "../ir/dataType.ts";
import type { Dim, Shape } from "../ir/graph.ts";
import { add, axisIn, broadcast, fixedDims, isKnown, multiply, product, quotient, unknownDims } from "./dims.ts";
import { expandElements, MAX_ELEMENTS, stridesOf, walk } from "./elements.ts";
import {
  elemTypeOf,
  hasInput,
  type Inferred,
  intsOf,
  type OpDef,
  type ShapeContext,
  ShapeError,
  shapeOf,
  tensor,
} from "./op.ts";
import { pointwisePrune } from "./pruneElementwise.ts";
import { depthToSpacePrune, reshapePrune, spaceToDepthPrune } from "./pruneReshape.ts";
import { expandPrune, padPrune, resamplePrune, transposePrune } from "./pruneShape.ts";
import { carriesFirst } from "./quantizeCarry.ts";

/** Like the first input, in another shape: same element type, same elements in the same order. */
function reshaped(ctx: ShapeContext, shape: Shape | undefined): Inferred {
  return { ...tensor(elemTypeOf(ctx, 0), shape), elements: ctx.input(0).elements };
}

/** No runtime takes more dimensions; a file may claim any number. */
const MAX_RANK = 64;

/** The rank of the tensor that holds a shape is the length of that shape. */
function lengthOf(ctx: ShapeContext, index: number): number | undefined {
  const length = shapeOf(ctx, index)?.[0];
  return isKnown(length) && length <= MAX_RANK ? length : undefined;
}

function reshape(ctx: ShapeContext): Shape | undefined {
  const target = intsOf(ctx, "shape", 1);
  const input = shapeOf(ctx, 0);
  if (!target) {
    const rank = lengthOf(ctx, 1);
    return rank === undefined ? undefined : unknownDims(rank);
  }
  const copiesZero = ctx.node.int("allowzero") !== 1;
  const dims = target.map((dim, axis): Dim => {
    if (dim !== 0 || !copiesZero) return dim;
    if (!input) return null;
    const copied = input[axis];
    if (copied === undefined)
      throw new ShapeError(`the target copies axis ${axis} of an input of rank ${input.length}`);
    return copied;
  });
  const free = dims.flatMap((dim, axis) => (dim === -1 ? [axis] : []));
  if (free.length > 1) throw new ShapeError(`the target [${target.join(", ")}] has more than one -1`);
  const at = free[0];
  if (at === undefined) {
    checkCount(input, dims);
    return oneUnknown(input, dims);
  }
  const others = dims.filter((_, axis) => axis !== at);
  const rest = input ? quotient(input, others) : null;
  const [from, to] = [fixedDims(input), fixedDims(others)];
  if (rest === null && from && to && product(to) !== 0) throw new ShapeError(`[${from}] does not reshape to [${dims}]`);
  return dims.map((dim, axis) => (axis === at ? rest : dim));
}

/** A single unknown entry of the target follows from the others. */
function oneUnknown(input: Shape | undefined, dims: Shape): Shape {
  const unknown = dims.indexOf(null);
  if (!input || unknown < 0 || dims.lastIndexOf(null) !== unknown) return dims;
  const others = dims.filter((_, axis) => axis !== unknown);
  return dims.map((dim, axis) => (axis === unknown ? quotient(input, others) : dim));
}

function checkCount(input: Shape | undefined, dims: Shape): void {
  const [from, to] = [fixedDims(input), fixedDims(dims)];
  if (from && to && product(from) !== product(to)) throw new ShapeError(`[${from}] does not reshape to [${to}]`);
}

function transpose(ctx: ShapeContext): Inferred {
  const shape = shapeOf(ctx, 0);
  if (!shape) return tensor(elemTypeOf(ctx, 0));
  const perm = ctx.node.ints("perm") ?? shape.map((_, i) => shape.length - 1 - i);
  if (perm.length !== shape.length) throw new ShapeError(`perm [${perm}] does not fit rank ${shape.length}`);
  const axes = perm.map((p) => axisIn(p, shape.length));
  const permuted = axes.map((axis) => shape[axis] ?? null);
  const [dims, { elements }] = [fixedDims(shape), ctx.input(0)];
  const out = fixedDims(permuted);
  if (!elements || !dims || !out) return tensor(elemTypeOf(ctx, 0), permuted);
  const strides = stridesOf(dims);
  const moved = walk(
    elements,
    out,
    axes.map((axis) => strides[axis] ?? 0),
  );
  return { ...tensor(elemTypeOf(ctx, 0), permuted), elements: moved };
}

function flatten(ctx: ShapeContext): Shape | undefined {
  const shape = shapeOf(ctx, 0);
  if (!shape) return [null, null];
  const given = ctx.node.int("axis") ?? 1;
  const axis = given < 0 ? given + shape.length : given;
  if (axis < 0 || axis > shape.length) throw new ShapeError(`axis ${given} is outside of rank ${shape.length}`);
  return [product(shape.slice(0, axis)), product(shape.slice(axis))];
}

function squeeze(ctx: ShapeContext): Shape | undefined {
  const shape = shapeOf(ctx, 0);
  const axes = intsOf(ctx, "axes", 1);
  if (!shape || axes === null) return undefined;
  if (axes === undefined) return shape.every(isKnown) ? shape.filter((dim) => dim !== 1) : undefined;
  if (!axes.every(isKnown)) return undefined;
  const dropped = axes.map((axis) => axisIn(axis, shape.length));
  for (const axis of dropped) {
    const dim = shape[axis];
    if (isKnown(dim) && dim !== 1) throw new ShapeError(`axis ${axis} to squeeze has size ${dim}`);
  }
  return shape.filter((_, axis) => !dropped.includes(axis));
}

function unsqueeze(ctx: ShapeContext): Shape | undefined {
  const shape = shapeOf(ctx, 0);
  const axes = intsOf(ctx, "axes", 1);
  if (!shape) return undefined;
  if (!axes?.every(isKnown)) {
    const more = lengthOf(ctx, 1);
    return more === undefined ? undefined : unknownDims(shape.length + more);
  }
  const rank = shape.length + axes.length;
  const inserted = new Set(axes.map((axis) => axisIn(axis, rank)));
  if (inserted.size !== axes.length) throw new ShapeError(`axes [${axes}] name one dimension twice`);
  const rest = [...shape];
  return Array.from({ length: rank }, (_, axis) => (inserted.has(axis) ? 1 : (rest.shift() ?? null)));
}

function shapeValue(ctx: ShapeContext): Inferred {
  const shape = shapeOf(ctx, 0);
  if (!shape) return tensor(DataType.INT64, [null]);
  const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + shape.length : at, 0), shape.length);
  const part = shape.slice(clamp(ctx.node.int("start") ?? 0), clamp(ctx.node.int("end") ?? shape.length));
  return { ...tensor(DataType.INT64, [part.length]), elements: part };
}

/** The shape a constant or computed tensor names: ConstantOfShape, Expand, RandomNormal... */
function namedShape(ctx: ShapeContext, index: number): Shape | undefined {
  const elements = ctx.input(index).elements;
  if (elements) return elements.map((dim) => (isKnown(dim) && dim < 0 ? null : dim));
  const rank = lengthOf(ctx, index);
  return rank === undefined ? undefined : unknownDims(rank);
}

function constantOfShape(ctx: ShapeContext): Inferred {
  const value = ctx.node.tensor("value");
  const shape = namedShape(ctx, 0);
  const count = shape && fixedDims(shape) ? product(shape) : null;
  const fill: Dim = value ? (value.numbers?.[0] ?? null) : 0;
  const small = isKnown(count) && count <= MAX_ELEMENTS;
  return {
    ...tensor(value?.dataType ?? DataType.FLOAT, shape),
    ...(small && { elements: new Array<Dim>(count).fill(fill) }),
  };
}

function expand(ctx: ShapeContext): Inferred {
  const target = namedShape(ctx, 1);
  const shape = broadcast([shapeOf(ctx, 0), target]);
  const [from, to, { elements }] = [fixedDims(shapeOf(ctx, 0)), fixedDims(shape), ctx.input(0)];
  const fits = from && to && elements && Number(product(to)) <= MAX_ELEMENTS;
  return { ...tensor(elemTypeOf(ctx, 0), shape), ...(fits && { elements: expandElements(elements, from, to) }) };
}

function range(ctx: ShapeContext): Inferred {
  const elemType = elemTypeOf(ctx, 0);
  const [start, limit, step] = [0, 1, 2].map((i) => ctx.input(i).elements?.[0] ?? null);
  // A range from 0 in steps of 1 is as long as its limit, were it a symbol.
  if (start === 0 && step === 1 && typeof limit === "string") return tensor(elemType, [limit]);
  if (!isKnown(start) || !isKnown(limit) || !isKnown(step)) return tensor(elemType, [null]);
  if (step === 0) throw new ShapeError("a step of 0");
  const count = Math.max(0, Math.ceil((limit - start) / step));
  const elements = count <= MAX_ELEMENTS ? Array.from({ length: count }, (_, i) => start + i * step) : undefined;
  return { ...tensor(elemType, [count]), elements };
}

/** Moves blocks between the channels and the two spatial dimensions. */
function blocks(ctx: ShapeContext, toSpace: boolean): Shape | undefined {
  const shape = shapeOf(ctx, 0);
  const size = ctx.node.int("blocksize");
  if (!shape || !size) return undefined;
  const [n = null, c = null, h = null, w = null] = shape;
  const shrink = (dim: Dim, by: number) => quotient([dim], [by]);
  const grow = (dim: Dim, by: number) => multiply(dim, by);
  if (toSpace) return [n, shrink(c, size * size), grow(h, size), grow(w, size)];
  return [n, grow(c, size * size), shrink(h, size), shrink(w, size)];
}

function tile(ctx: ShapeContext): Shape | undefined {
  const shape = shapeOf(ctx, 0);
  const repeats = ctx.input(1).elements;
  if (repeats && shape && repeats.length !== shape.length) throw new ShapeError("repeats must have one entry per axis");
  return shape?.map((dim, axis) => multiply(dim, repeats?.[axis] ?? null));
}

/** Pads are `[begin..., end...]`, for all axes or for those of the fourth input (opset 18). */
function pad(ctx: ShapeContext): Shape | undefined {
  const shape = shapeOf(ctx, 0);
  const pads = intsOf(ctx, ctx.opset < 2 ? "paddings" : "pads", 1);
  if (!shape) return undefined;
  const axes = hasInput(ctx, 3) ? ctx.input(3).elements : shape.map((_, axis) => axis);
  if (!pads || !axes?.every(isKnown)) return unknownDims(shape.length);
  if (pads.length !== axes.length * 2) throw new ShapeError(`${pads.length} pads for ${axes.length} axes`);
  const total = new Map(
    axes.map((axis, i) => [axisIn(axis, shape.length), add(pads[i] ?? null, pads[i + axes.length] ?? null)]),
  );
  return shape.map((dim, axis) => (total.has(axis) ? add(dim, total.get(axis) ?? null) : dim));
}

export const shapeOps: readonly OpDef[] = [
  { opType: "Identity", memory: "view", prune: pointwisePrune, quantize: carriesFirst, shape: (ctx) => [ctx.input(0)] },
  {
    opType: "Reshape",
    memory: "view",
    prune: reshapePrune,
    quantize: carriesFirst,
    shape: (ctx) => [reshaped(ctx, reshape(ctx))],
  },
  {
    opType: "Flatten",
    memory: "view",
    prune: reshapePrune,
    quantize: carriesFirst,
    shape: (ctx) => [reshaped(ctx, flatten(ctx))],
  },
  {
    opType: "Squeeze",
    memory: "view",
    prune: reshapePrune,
    quantize: carriesFirst,
    shape: (ctx) => [reshaped(ctx, squeeze(ctx))],
  },
  {
    opType: "Unsqueeze",
    memory: "view",
    prune: reshapePrune,
    quantize: carriesFirst,
    shape: (ctx) => [reshaped(ctx, unsqueeze(ctx))],
  },
  { opType: "Transpose", prune: transposePrune, quantize: carriesFirst, shape: (ctx) => [transpose(ctx)] },
  { opType: "Shape", memory: "none", shape: (ctx) => [shapeValue(ctx)] },
  {
    opType: "Size",
    memory: "none",
    shape: (ctx) => {
      const shape = shapeOf(ctx, 0);
      return [{ ...tensor(DataType.INT64, []), ...(shape && { elements: [product(shape)] }) }];
    },
  },
  { opType: "ConstantOfShape", shape: (ctx) => [constantOfShape(ctx)] },
  { opType: "Expand", prune: expandPrune, shape: (ctx) => [expand(ctx)] },
  { opType: "Range", shape: (ctx) => [range(ctx)] },
  { opType: "Tile", prune: resamplePrune, shape: (ctx) => [tensor(elemTypeOf(ctx, 0), tile(ctx))] },
  { opType: "Pad", prune: padPrune, shape: (ctx) => [tensor(elemTypeOf(ctx, 0), pad(ctx))] },
  {
    opType: "DepthToSpace",
    prune: depthToSpacePrune,
    quantize: carriesFirst,
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), blocks(ctx, true))],
  },
  {
    opType: "SpaceToDepth",
    prune: spaceToDepthPrune,
    quantize: carriesFirst,
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), blocks(ctx, false))],
  },
];
