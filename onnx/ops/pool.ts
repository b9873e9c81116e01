/** Pools over windows, over whole maps, and over regions of interest. */

import { DataType } from "../ir/dataType.ts";
import type { Dim, Shape } from "../ir/graph.ts";
import { numericProduct } from "./dims.ts";
import {
  type CostContext,
  elemTypeOf,
  intsOf,
  type OpCost,
  type OpDef,
  type ShapeContext,
  ShapeError,
  shapeOf,
  tensor,
} from "./op.ts";
import { poolPrune } from "./pruneElementwise.ts";
import { maxPoolQuantize, staysFloat } from "./quantizeCarry.ts";
import { transposedDims, windowedDims } from "./window.ts";

export function pooled(ctx: ShapeContext, shape: Shape | undefined): Shape | undefined {
  if (!shape) return undefined;
  const kernel = ctx.node.ints("kernel_shape");
  if (!kernel) throw new ShapeError("kernel_shape is required");
  if (kernel.length !== shape.length - 2) throw new ShapeError(`kernel_shape [${kernel}] for rank ${shape.length}`);
  const ceil = ctx.node.int("ceil_mode") === 1;
  return [...shape.slice(0, 2), ...windowedDims(ctx.node, shape.slice(2), { kernel, ceil })];
}

/** One operation for each element of the window of each output element. */
export function poolCost(ctx: CostContext): OpCost | undefined {
  const out = ctx.outputDims(0);
  return out && { macs: 0, ops: numericProduct(out) * numericProduct(ctx.node.ints("kernel_shape") ?? []) };
}

function windowPool(opType: string): OpDef {
  return {
    opType,
    quantize: staysFloat("a mean is no value of its inputs, and integer forms of it are slower"),
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), pooled(ctx, shapeOf(ctx, 0)))],
    cost: poolCost,
    prune: poolPrune,
  };
}

/** One operation per input element. */
export function perInputCost(ctx: CostContext): OpCost | undefined {
  const x = ctx.inputDims(0);
  return x && { macs: 0, ops: numericProduct(x) };
}

export function globalPooled(shape: Shape | undefined): Shape | undefined {
  return shape?.map((dim, axis): Dim => (axis < 2 ? dim : 1));
}

function globalPool(opType: string): OpDef {
  return {
    opType,
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), globalPooled(shapeOf(ctx, 0)))],
    cost: perInputCost,
    prune: poolPrune,
  };
}

function unpooled(ctx: ShapeContext): Shape | undefined {
  const given = intsOf(ctx, "output_shape", 2);
  const shape = shapeOf(ctx, 0);
  if (given) return given;
  if (given === null || !shape) return undefined;
  return [...shape.slice(0, 2), ...transposedDims(ctx.node, shape.slice(2), ctx.node.ints("kernel_shape") ?? [])];
}

/** [regions, channels, height, width]; regions are counted by input `rois`. */
function regionsShape(ctx: ShapeContext, height: number, width: number): Shape {
  return [shapeOf(ctx, 1)?.[0] ?? null, shapeOf(ctx, 0)?.[1] ?? null, height, width];
}

/** Four weighted samples for each sampling point of each output element (ONNX Operators.md, RoiAlign). */
function roiAlignCost(ctx: CostContext): OpCost | undefined {
  const out = ctx.outputDims(0);
  const ratio = ctx.node.int("sampling_ratio") ?? 0;
  return out && ratio > 0 ? { macs: 0, ops: numericProduct(out) * ratio * ratio * 8 } : undefined;
}

export const poolOps: readonly OpDef[] = [
  windowPool("AveragePool"),
  windowPool("LpPool"),
  {
    opType: "MaxPool",
    quantize: maxPoolQuantize,
    prune: poolPrune,
    shape: (ctx) => {
      const shape = pooled(ctx, shapeOf(ctx, 0));
      return [tensor(elemTypeOf(ctx, 0), shape), tensor(DataType.INT64, shape)];
    },
    cost: poolCost,
  },
  globalPool("GlobalAveragePool"),
  globalPool("GlobalMaxPool"),
  globalPool("GlobalLpPool"),
  { opType: "MaxUnpool", shape: (ctx) => [tensor(elemTypeOf(ctx, 0), unpooled(ctx))] },
  {
    opType: "RoiAlign",
    shape: (ctx) => [
      tensor(
        elemTypeOf(ctx, 0),
        regionsShape(ctx, ctx.node.int("output_height") ?? 1, ctx.node.int("output_width") ?? 1),
      ),
    ],
    cost: roiAlignCost,
  },
  {
    opType: "MaxRoiPool",
    shape: (ctx) => {
      const [height, width] = ctx.node.ints("pooled_shape") ?? [];
      if (height === undefined || width === undefined) throw new ShapeError("pooled_shape needs two entries");
      return [tensor(elemTypeOf(ctx, 0), regionsShape(ctx, height, width))];
    },
  },
];
