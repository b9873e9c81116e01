/** Products of matrices. */

import { DataType } from "../ir/dataType.ts";
import type { Dim, Shape } from "../ir/graph.ts";
import { broadcast, numericProduct, unify } from "./dims.ts";
import { einsumCost, einsumShape } from "./einsum.ts";
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
import { gemmPrune, matMulPrune } from "./pruneMatMul.ts";
import { gemmQuantize, matmulQuantize } from "./quantizeProducts.ts";

/** numpy.matmul: vectors are promoted, leading dimensions broadcast. */
export function multiplied(a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  if (!a || !b) return undefined;
  if (a.length === 0 || b.length === 0) throw new ShapeError("MatMul needs inputs of rank 1 or more");
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  unify(left.at(-1) ?? null, right.at(-2) ?? null, "inner dimensions");
  const batch = broadcast([left.slice(0, -2), right.slice(0, -2)]) ?? [];
  const rows: Dim[] = a.length === 1 ? [] : [left.at(-2) ?? null];
  const columns: Dim[] = b.length === 1 ? [] : [right.at(-1) ?? null];
  return [...batch, ...rows, ...columns];
}

/** The last two dimensions exchanged where `flag` is set. */
export function maybeTransposed(shape: Shape | undefined, flag: number | undefined): Shape | undefined {
  if (!shape || !flag || shape.length < 2) return shape;
  return [...shape.slice(0, -2), shape.at(-1) ?? null, shape.at(-2) ?? null];
}

/** Output elements times the inner dimension, which is the one of input `a` at `axis`. */
export function matmulCost(ctx: CostContext, a = 0, axis = -1): OpCost | undefined {
  const out = ctx.outputDims(0);
  const inner = ctx.inputDims(a)?.at(axis);
  return out && inner !== undefined ? { macs: numericProduct(out) * inner, ops: 0 } : undefined;
}

function gemm(ctx: ShapeContext): Shape | undefined {
  const a = maybeTransposed(shapeOf(ctx, 0), ctx.node.int("transA"));
  const b = maybeTransposed(shapeOf(ctx, 1), ctx.node.int("transB"));
  if ((a && a.length !== 2) || (b && b.length !== 2)) throw new ShapeError("Gemm needs two matrices");
  if (a && b) unify(a[1] ?? null, b[0] ?? null, "inner dimensions");
  return [a?.[0] ?? null, b?.[1] ?? null];
}

export const matmulOps: readonly OpDef[] = [
  {
    opType: "MatMul",
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), multiplied(shapeOf(ctx, 0), shapeOf(ctx, 1)))],
    cost: (ctx) => matmulCost(ctx),
    quantize: matmulQuantize,
    prune: matMulPrune,
  },
  {
    opType: "Gemm",
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), gemm(ctx))],
    quantize: gemmQuantize,
    prune: gemmPrune,
    cost: (ctx) => {
      const product = matmulCost(ctx, 0, ctx.node.int("transA") ? 0 : 1);
      const out = ctx.outputDims(0);
      return product && out && { ...product, ops: ctx.node.inputs[2] ? numericProduct(out) : 0 };
    },
  },
  {
    opType: "MatMulInteger",
    data: [0, 1],
    shape: (ctx) => [tensor(DataType.INT32, multiplied(shapeOf(ctx, 0), shapeOf(ctx, 1)))],
    cost: (ctx) => matmulCost(ctx),
  },
  { opType: "Einsum", shape: (ctx) => [tensor(elemTypeOf(ctx, 0), einsumShape(ctx))], cost: einsumCost },
];
