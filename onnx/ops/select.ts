/** Operators that join tensors or take parts of them: Concat, Split, Slice, the Gather and Scatter families. */

import type { Dim, Shape } from "../ir/graph.ts";
import { add, axisIn, fixedDims, isKnown, numericProduct, unify, unknownDims, withDim } from "./dims.ts";
import { MAX_ELEMENTS, stridesOf, walk } from "./elements.ts";
import {
  type Elements,
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
import { concatPrune, gatherPrune, slicePrune, splitPrune } from "./pruneShape.ts";
import { carriesAll, carriesFirst } from "./quantizeCarry.ts";

function concat(ctx: ShapeContext): Inferred {
  const inputs = ctx.node.inputs.map((_, i) => ctx.input(i));
  const shapes = inputs.map((input) => input.type?.shape);
  const rank = shapes.find((shape) => shape)?.length;
  const elemType = inputs.find((input) => input.type)?.type?.elemType;
  const given = ctx.node.int("axis") ?? 1;
  if (rank === undefined) return tensor(elemType);
  const axis = axisIn(given, rank);
  const shape = unknownDims(rank);
  let total: Dim = 0;
  for (const part of shapes) {
    if (part && part.length !== rank) throw new ShapeError(`inputs of rank ${part.length} and ${rank}`);
    for (let i = 0; i < rank; i++) {
      if (i !== axis) shape[i] = unify(shape[i] ?? null, part?.[i] ?? null, `axis ${i}`);
    }
    total = add(total, part?.[axis] ?? null);
  }
  const flat = rank === 1 && isKnown(total) && total <= MAX_ELEMENTS && inputs.every((input) => input.elements);
  const elements = flat ? inputs.flatMap((input) => input.elements ?? []) : undefined;
  return { ...tensor(elemType, withDim(shape, axis, total)), elements };
}

/** Sizes of the parts: attribute or input, `num_outputs` (opset 18, the last part may be smaller), or equal parts. */
function splitSizes(ctx: ShapeContext, whole: Dim, count: number): readonly Dim[] {
  const given = intsOf(ctx, "split", 1);
  if (given) {
    if (given.length !== count) throw new ShapeError(`${given.length} sizes for ${count} outputs`);
    const sum = given.every(isKnown) ? given.reduce<number>((a, b) => a + Number(b), 0) : null;
    if (sum !== null && isKnown(whole) && sum !== whole) throw new ShapeError(`the sizes sum to ${sum}, not ${whole}`);
    return given;
  }
  if (given === null || !isKnown(whole)) return unknownDims(count);
  if (ctx.opset < 18 && whole % count !== 0) throw new ShapeError(`${whole} does not split into ${count} equal parts`);
  const part = Math.ceil(whole / count);
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, whole - i * part)));
}

function split(ctx: ShapeContext): Inferred[] {
  const shape = shapeOf(ctx, 0);
  const count = ctx.node.outputs.length;
  const elemType = elemTypeOf(ctx, 0);
  if (!shape) return new Array<Inferred>(count).fill(tensor(elemType));
  const axis = axisIn(ctx.node.int("axis") ?? 0, shape.length);
  const sizes = splitSizes(ctx, shape[axis] ?? null, count);
  const { elements } = ctx.input(0);
  let start = 0;
  return sizes.map((size) => {
    const part = tensor(elemType, withDim(shape, axis, size));
    if (!elements || shape.length !== 1 || !isKnown(size)) return part;
    start += size;
    return { ...part, elements: elements.slice(start - size, start) };
  });
}

interface Cut {
  readonly count: Dim;
  readonly start: number;
  readonly step: number;
}

/** Numpy's slicing with clamping (ONNX Operators.md, Slice). */
function cutOf(size: Dim, start: Dim, end: Dim, step: Dim): Cut {
  if (step === 0) throw new ShapeError("a step of 0");
  const fromFront = start === 0 && step === 1;
  if (fromFront && end !== null && (end === size || (isKnown(end) && end >= 0x7fffffff))) return whole(size);
  // Position tables: a symbolic end from the front of a fixed axis is taken to lie within it.
  if (fromFront && typeof end === "string" && isKnown(size)) return whole(end);
  if (!isKnown(step) || !isKnown(size) || !isKnown(start) || !isKnown(end)) return whole(null);
  const wrap = (at: number) => (at < 0 ? at + size : at);
  const clamp = (at: number, low: number, high: number) => Math.min(Math.max(at, low), high);
  const from = step > 0 ? clamp(wrap(start), 0, size) : clamp(wrap(start), 0, size - 1);
  const to = step > 0 ? clamp(wrap(end), 0, size) : clamp(wrap(end), -1, size - 1);
  return { start: from, count: Math.max(0, Math.ceil((to - from) / step)), step };
}

function whole(count: Dim): Cut {
  return { count, start: 0, step: 1 };
}

/** Symbolic sizes that a slice from the front takes whole stay as they are; a shorter known cut is itself. */
function slice(ctx: ShapeContext): Inferred {
  const shape = shapeOf(ctx, 0);
  const elemType = elemTypeOf(ctx, 0);
  if (!shape) return tensor(elemType);
  const starts = intsOf(ctx, "starts", 1);
  const ends = intsOf(ctx, "ends", 2);
  const givenAxes = intsOf(ctx, "axes", 3);
  const steps = hasInput(ctx, 4) ? (ctx.input(4).elements ?? null) : undefined;
  const length = starts?.length ?? ends?.length;
  const axes = givenAxes === undefined ? Array.from({ length: length ?? 0 }, (_, i) => i) : givenAxes;
  if (!axes?.every(isKnown) || (length === undefined && givenAxes === undefined)) {
    return tensor(elemType, unknownDims(shape.length));
  }
  const out = [...shape];
  const { elements } = ctx.input(0);
  const dims = fixedDims(shape);
  const strides = dims ? stridesOf(dims) : [];
  let offset = 0;
  const at = (list: Elements | null | undefined, i: number) => list?.[i] ?? null;
  for (const [i, given] of axes.entries()) {
    const axis = axisIn(given, shape.length);
    const cut = cutOf(shape[axis] ?? null, at(starts, i), at(ends, i), steps === undefined ? 1 : at(steps, i));
    out[axis] = cut.count;
    offset += cut.start * (strides[axis] ?? 0);
    strides[axis] = (strides[axis] ?? 0) * cut.step;
  }
  const kept = fixedDims(out);
  if (!elements || !dims || !kept) return tensor(elemType, out);
  return { ...tensor(elemType, out), elements: walk(elements, kept, strides, offset) };
}

function gather(ctx: ShapeContext): Inferred {
  const data = shapeOf(ctx, 0);
  const indices = shapeOf(ctx, 1);
  const elemType = elemTypeOf(ctx, 0);
  if (!data || !indices) return tensor(elemType);
  const axis = axisIn(ctx.node.int("axis") ?? 0, data.length);
  const shape = [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)];
  const [elements, chosen, dims] = [ctx.input(0).elements, ctx.input(1).elements, fixedDims(data)];
  const out = fixedDims(shape);
  if (!elements || !chosen?.every(isKnown) || !dims || !out || numericProduct(out) > MAX_ELEMENTS) {
    return tensor(elemType, shape);
  }
  const size = dims[axis] ?? 0;
  const inner = numericProduct(dims.slice(axis + 1));
  const outer = numericProduct(dims.slice(0, axis));
  const taken: Dim[] = [];
  for (let o = 0; o < outer; o++) {
    for (const index of chosen) {
      const at = Number(index) < 0 ? Number(index) + size : Number(index);
      if (at < 0 || at >= size) throw new ShapeError(`index ${index} is outside of an axis of size ${size}`);
      for (let k = 0; k < inner; k++) taken.push(elements[(o * size + at) * inner + k] ?? null);
    }
  }
  return { ...tensor(elemType, shape), elements: taken };
}

/** indices.shape[:-1] + data.shape[batch_dims + indices.shape[-1]:] (ONNX Operators.md, GatherND). */
function gatherNd(ctx: ShapeContext): Shape | undefined {
  const [data, indices] = [shapeOf(ctx, 0), shapeOf(ctx, 1)];
  const depth = indices?.at(-1);
  if (!data || !indices || !isKnown(depth)) return undefined;
  return [...indices.slice(0, -1), ...data.slice((ctx.node.int("batch_dims") ?? 0) + depth)];
}

function compress(ctx: ShapeContext): Shape | undefined {
  const axis = ctx.node.int("axis");
  const shape = shapeOf(ctx, 0);
  if (axis === undefined) return [null];
  return shape && withDim(shape, axisIn(axis, shape.length), null);
}

/** The output is the first input with some elements replaced. */
function likeFirst(opType: string): OpDef {
  return { opType, shape: (ctx) => [tensor(elemTypeOf(ctx, 0), shapeOf(ctx, 0))] };
}

export const selectOps: readonly OpDef[] = [
  { opType: "Concat", memory: "parts", prune: concatPrune, quantize: carriesAll, shape: (ctx) => [concat(ctx)] },
  { opType: "Split", memory: "parts", prune: splitPrune, quantize: carriesFirst, shape: split },
  { opType: "Slice", memory: "selects", prune: slicePrune, quantize: carriesFirst, shape: (ctx) => [slice(ctx)] },
  { opType: "Gather", memory: "selects", prune: gatherPrune, quantize: carriesFirst, shape: (ctx) => [gather(ctx)] },
  { opType: "GatherElements", memory: "selects", shape: (ctx) => [tensor(elemTypeOf(ctx, 0), shapeOf(ctx, 1))] },
  { opType: "GatherND", memory: "selects", shape: (ctx) => [tensor(elemTypeOf(ctx, 0), gatherNd(ctx))] },
  { opType: "Compress", shape: (ctx) => [tensor(elemTypeOf(ctx, 0), compress(ctx))] },
  likeFirst("Scatter"),
  likeFirst("ScatterElements"),
  likeFirst("ScatterND"),
  likeFirst("TensorScatter"),
  likeFirst("Trilu"),
  likeFirst("ReverseSequence"),
];
