/** Convolutions of any number of spatial dimensions. */

import type { Dim, Shape } from "../ir/graph.ts";
import { isKnown, multiply, numericProduct } from "./dims.ts";
import {
  type CostContext,
  elemTypeOf,
  type OpCost,
  type OpDef,
  type ShapeContext,
  ShapeError,
  shapeOf,
  tensor,
} from "./op.ts";
import { convPrune, convTransposePrune } from "./pruneConv.ts";
import { convQuantize, convTransposeQuantize } from "./quantizeProducts.ts";
import { kernelDims, transposedDims, windowedDims } from "./window.ts";

/** Shape of `conv(x, w)`: [N, M, spatial...]; undefined where the rank of x is unknown. */
export function convolved(ctx: ShapeContext, x: Shape | undefined, w: Shape | undefined): Shape | undefined {
  if (!x) return undefined;
  const spatial = x.slice(2);
  if (x.length < 3) throw new ShapeError(`Conv needs an input of rank 3 or more, got ${x.length}`);
  if (w && w.length !== x.length) throw new ShapeError(`the weight has rank ${w.length}, the input ${x.length}`);
  const group = ctx.node.int("group") ?? 1;
  const [channels, perGroup] = [x[1], w?.[1]];
  if (isKnown(channels) && isKnown(perGroup) && channels !== perGroup * group) {
    throw new ShapeError(`the input has ${channels} channels, the weight wants ${perGroup * group}`);
  }
  const kernel = kernelDims(ctx.node, w, spatial.length);
  return [x[0] ?? null, w?.[0] ?? null, ...windowedDims(ctx.node, spatial, { kernel })];
}

/** Each output element sums over the weight's [channels per group, kernel...]. The bias is one addition each. */
export function convCost(ctx: CostContext, weightInput: number, biasInput?: number): OpCost | undefined {
  const out = ctx.outputDims(0);
  const weight = ctx.inputDims(weightInput);
  if (!out || !weight) return undefined;
  const elements = numericProduct(out);
  return {
    macs: elements * numericProduct(weight.slice(1)),
    ops: biasInput !== undefined && ctx.node.inputs[biasInput] ? elements : 0,
  };
}

function transposed(ctx: ShapeContext): Shape | undefined {
  const x = shapeOf(ctx, 0);
  const w = shapeOf(ctx, 1);
  if (!x) return undefined;
  const channels: Dim = multiply(w?.[1] ?? null, ctx.node.int("group") ?? 1);
  const spatial = x.slice(2);
  return [x[0] ?? null, channels, ...transposedDims(ctx.node, spatial, kernelDims(ctx.node, w, spatial.length))];
}

/** Each input element is multiplied into the weight's [channels per group, kernel...]. */
function transposedCost(ctx: CostContext): OpCost | undefined {
  const [x, weight, out] = [ctx.inputDims(0), ctx.inputDims(1), ctx.outputDims(0)];
  if (!x || !weight || !out) return undefined;
  return {
    macs: numericProduct(x) * numericProduct(weight.slice(1)),
    ops: ctx.node.inputs[2] ? numericProduct(out) : 0,
  };
}

export const convOps: readonly OpDef[] = [
  {
    opType: "Conv",
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), convolved(ctx, shapeOf(ctx, 0), shapeOf(ctx, 1)))],
    cost: (ctx) => convCost(ctx, 1, 2),
    prune: convPrune,
    quantize: convQuantize,
  },
  {
    opType: "ConvTranspose",
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), transposed(ctx))],
    cost: transposedCost,
    prune: convTransposePrune,
    quantize: convTransposeQuantize,
  },
  {
    opType: "DeformConv",
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), convolved(ctx, shapeOf(ctx, 0), shapeOf(ctx, 1)))],
    cost: (ctx) => convCost(ctx, 1, 3),
  },
];
