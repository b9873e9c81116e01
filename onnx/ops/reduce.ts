/** Reductions along axes, and the searches for the place of an extremum. */

import { DataType } from "../ir/dataType.ts";
import type { Dim, Shape } from "../ir/graph.ts";
import { add, axisIn, isKnown, multiply, unknownDims, withDim } from "./dims.ts";
import { elementwiseCost } from "./elementwise.ts";
import { elemTypeOf, intsOf, type OpDef, type ShapeContext, shapeOf, tensor } from "./op.ts";
import { perInputCost } from "./pool.ts";
import { extremumPrune, reducePrune } from "./pruneShape.ts";

/** The reduced axes; undefined where they are not known. Axes are an input since opset 18 (ReduceSum: 13). */
function axesOf(ctx: ShapeContext, rank: number): readonly number[] | undefined {
  const axes = intsOf(ctx, "axes", 1);
  const all = Array.from({ length: rank }, (_, i) => i);
  if (axes === null) return undefined;
  if (axes === undefined || axes.length === 0) return ctx.node.int("noop_with_empty_axes") === 1 ? [] : all;
  return axes.every(isKnown) ? axes.map((axis) => axisIn(axis, rank)) : undefined;
}

function reduced(ctx: ShapeContext): Shape | undefined {
  const shape = shapeOf(ctx, 0);
  if (!shape) return undefined;
  const keeps = (ctx.node.int("keepdims") ?? 1) === 1;
  const axes = axesOf(ctx, shape.length);
  if (!axes) return keeps ? unknownDims(shape.length) : undefined;
  if (keeps) return shape.map((dim, i): Dim => (axes.includes(i) ? 1 : dim));
  return shape.filter((_, i) => !axes.includes(i));
}

/** `fold` evaluates the reduction of a whole vector, as in Shape -> ReduceProd. */
function reduction(opType: string, fold?: (a: Dim, b: Dim) => Dim): OpDef {
  return {
    opType,
    shape: (ctx) => {
      const shape = reduced(ctx);
      const { elements } = ctx.input(0);
      const whole = fold && elements && elements.length > 0 && shapeOf(ctx, 0)?.length === 1;
      const reducesIt = whole && axesOf(ctx, 1)?.length === 1;
      return [
        {
          ...tensor(elemTypeOf(ctx, 0), shape),
          ...(reducesIt && { elements: [elements.reduce((a, b) => fold(a, b))] }),
        },
      ];
    },
    cost: perInputCost,
    prune: reducePrune,
  };
}

const extremum =
  (f: (a: number, b: number) => number) =>
  (a: Dim, b: Dim): Dim =>
    isKnown(a) && isKnown(b) ? f(a, b) : null;

function argument(opType: string): OpDef {
  return {
    opType,
    shape: (ctx) => {
      const shape = shapeOf(ctx, 0);
      if (!shape) return [tensor(DataType.INT64)];
      const axis = axisIn(ctx.node.int("axis") ?? 0, shape.length);
      const keeps = (ctx.node.int("keepdims") ?? 1) === 1;
      return [tensor(DataType.INT64, keeps ? withDim(shape, axis, 1) : shape.filter((_, i) => i !== axis))];
    },
    cost: perInputCost,
    prune: extremumPrune,
  };
}

function cumulative(opType: string): OpDef {
  return {
    opType,
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), shapeOf(ctx, 0))],
    cost: elementwiseCost(1),
  };
}

export const reduceOps: readonly OpDef[] = [
  reduction("ReduceSum", add),
  reduction("ReduceProd", multiply),
  reduction("ReduceMax", extremum(Math.max)),
  reduction("ReduceMin", extremum(Math.min)),
  ...["ReduceMean", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"].map((opType) =>
    reduction(opType),
  ),
  argument("ArgMax"),
  argument("ArgMin"),
  cumulative("CumSum"),
  cumulative("CumProd"),
];
