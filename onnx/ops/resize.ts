/** Resampling of maps: Resize, Upsample, GridSample, AffineGrid, Col2Im, CenterCropPad. */

import type { Dim, Shape } from "../ir/graph.ts";
import { axisIn, isKnown, numericProduct, quotient, unknownDims, withDim } from "./dims.ts";
import {
  type CostContext,
  type Elements,
  elemTypeOf,
  hasInput,
  type OpCost,
  type OpDef,
  type ShapeContext,
  ShapeError,
  shapeOf,
  tensor,
} from "./op.ts";
import { resamplePrune } from "./pruneShape.ts";
import { resizeQuantize } from "./quantizeCarry.ts";

/** floor(size * scale) in single precision, as runtimes compute it. */
function scaled(dim: Dim, scale: Dim): Dim {
  if (scale === 1) return dim;
  return isKnown(dim) && isKnown(scale) ? Math.floor(Math.fround(dim * Math.fround(scale))) : null;
}

/** `sizes` under keep_aspect_ratio_policy (opset 18): one scale for all resized axes. */
function keptAspect(shape: Shape, axes: readonly number[], sizes: Elements, policy: string): Dim[] {
  if (policy === "stretch") return axes.map((_, i) => sizes[i] ?? null);
  const ratios = axes.map((axis, i) => {
    const [from, to] = [shape[axis], sizes[i]];
    return isKnown(from) && isKnown(to) ? to / from : Number.NaN;
  });
  const scale = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  return axes.map((axis) => {
    const dim = shape[axis];
    return isKnown(dim) && !Number.isNaN(scale) ? Math.floor(dim * scale + 0.5) : null;
  });
}

/** Opset 10 has (X, scales); from 11 on (X, roi, scales, sizes), one of the last two given. */
function resized(ctx: ShapeContext): Shape | undefined {
  const shape = shapeOf(ctx, 0);
  if (!shape) return undefined;
  const axes = (ctx.node.ints("axes") ?? shape.map((_, i) => i)).map((axis) => axisIn(axis, shape.length));
  const modern = ctx.opset >= 11;
  const sizesAt = 3;
  const scales = ctx.input(modern ? 2 : 1).elements;
  const out = [...shape];
  if (modern && hasInput(ctx, sizesAt)) {
    const sizes = ctx.input(sizesAt).elements;
    if (!sizes) return axes.reduce<Dim[]>((dims, axis) => withDim(dims, axis, null), out);
    if (sizes.length !== axes.length) throw new ShapeError(`${sizes.length} sizes for ${axes.length} axes`);
    const wanted = keptAspect(shape, axes, sizes, ctx.node.string("keep_aspect_ratio_policy") ?? "stretch");
    for (const [i, axis] of axes.entries()) out[axis] = wanted[i] ?? null;
    return out;
  }
  if (!scales) return unknownDims(shape.length);
  if (scales.length !== axes.length) throw new ShapeError(`${scales.length} scales for ${axes.length} axes`);
  const crops = ctx.node.string("coordinate_transformation_mode") === "tf_crop_and_resize";
  const roi = crops ? (ctx.input(1).elements ?? []) : [];
  for (const [i, axis] of axes.entries()) {
    const [from, to] = [roi[i], roi[i + axes.length]];
    const dim = shape[axis] ?? null;
    if (!crops) out[axis] = scaled(dim, scales[i] ?? null);
    else out[axis] = isKnown(from) && isKnown(to) && isKnown(dim) ? scaled(dim * (to - from), scales[i] ?? null) : null;
  }
  return out;
}

/** Scales are an attribute in opset 7, an input in 9. */
function upsampled(ctx: ShapeContext): Shape | undefined {
  const shape = shapeOf(ctx, 0);
  const scales = ctx.node.floats("scales") ?? ctx.input(1).elements;
  return shape?.map((dim, i) => scaled(dim, scales?.[i] ?? null));
}

/** Points that one output element is interpolated from, a multiplication and an addition each. */
function interpolationCost(ctx: CostContext): OpCost | undefined {
  const [x, out] = [ctx.inputDims(0), ctx.outputDims(0)];
  if (!x || !out) return undefined;
  const mode = ctx.node.string("mode") ?? (ctx.node.opType === "GridSample" ? "linear" : "nearest");
  const taps = mode.includes("linear") ? 2 : mode.includes("cubic") ? 4 : 0;
  const moved = ctx.node.opType === "GridSample" ? out.length - 2 : out.filter((size, i) => size !== x[i]).length;
  return { macs: 0, ops: taps === 0 ? 0 : numericProduct(out) * 2 * taps ** moved };
}

function gridSampled(ctx: ShapeContext): Shape | undefined {
  const [x, grid] = [shapeOf(ctx, 0), shapeOf(ctx, 1)];
  if (!x || !grid) return undefined;
  return [...x.slice(0, 2), ...grid.slice(1, -1)];
}

/** [N, C, H, W] or [N, C, D, H, W] in the second input; gives [N, (D,) H, W, 2 or 3]. */
function affineGrid(ctx: ShapeContext): Shape | undefined {
  const size = ctx.input(1).elements;
  return size && [size[0] ?? null, ...size.slice(2), size.length - 2];
}

function columnsToImage(ctx: ShapeContext): Shape | undefined {
  const columns = shapeOf(ctx, 0);
  const [image, block] = [ctx.input(1).elements, ctx.input(2).elements];
  if (!columns || !image || !block) return undefined;
  return [columns[0] ?? null, quotient([columns[1] ?? null], block), ...image];
}

function centred(ctx: ShapeContext): Shape | undefined {
  const shape = shapeOf(ctx, 0);
  const target = ctx.input(1).elements;
  if (!shape) return undefined;
  const axes = ctx.node.ints("axes") ?? shape.map((_, i) => i);
  return axes.reduce<Dim[]>(
    (dims, axis, i) => withDim(dims, axisIn(axis, dims.length), target?.[i] ?? null),
    [...shape],
  );
}

export const resizeOps: readonly OpDef[] = [
  {
    opType: "Resize",
    quantize: resizeQuantize,
    prune: resamplePrune,
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), resized(ctx))],
    cost: interpolationCost,
  },
  {
    opType: "Upsample",
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), upsampled(ctx))],
    cost: interpolationCost,
    prune: resamplePrune,
  },
  { opType: "GridSample", shape: (ctx) => [tensor(elemTypeOf(ctx, 0), gridSampled(ctx))], cost: interpolationCost },
  { opType: "AffineGrid", shape: (ctx) => [tensor(elemTypeOf(ctx, 0), affineGrid(ctx))] },
  { opType: "Col2Im", shape: (ctx) => [tensor(elemTypeOf(ctx, 0), columnsToImage(ctx))] },
  { opType: "CenterCropPad", shape: (ctx) => [tensor(elemTypeOf(ctx, 0), centred(ctx))] },
];
