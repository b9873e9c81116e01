/** Quantization as ONNX writes it: Q/DQ pairs, and the operators that compute on integers. */

import { DataType } from "../ir/dataType.ts";
import { convCost, convolved } from "./conv.ts";
import { elementwiseCost } from "./elementwise.ts";
import { matmulCost, multiplied } from "./matmul.ts";
import { elemTypeOf, type OpDef, type ShapeContext, shapeOf, tensor } from "./op.ts";
import { quantizePrune } from "./pruneElementwise.ts";

/** Type of the quantized tensor: the zero point's, `output_dtype` (opset 21), or uint8. */
export function quantizedType(ctx: ShapeContext): number {
  return elemTypeOf(ctx, 2) ?? (ctx.node.int("output_dtype") || DataType.UINT8);
}

/** Type of the real numbers: `output_dtype` (opset 23), or the scale's. */
export function realType(ctx: ShapeContext): number | undefined {
  return ctx.node.int("output_dtype") || elemTypeOf(ctx, 1);
}

export const quantizeOps: readonly OpDef[] = [
  {
    opType: "QuantizeLinear",
    data: [0],
    shape: (ctx) => [tensor(quantizedType(ctx), shapeOf(ctx, 0))],
    cost: elementwiseCost(3),
    prune: quantizePrune,
  },
  {
    opType: "DequantizeLinear",
    data: [0],
    shape: (ctx) => [tensor(realType(ctx), shapeOf(ctx, 0))],
    cost: elementwiseCost(2),
    prune: quantizePrune,
  },
  {
    opType: "DynamicQuantizeLinear",
    shape: (ctx) => [tensor(DataType.UINT8, shapeOf(ctx, 0)), tensor(DataType.FLOAT, []), tensor(DataType.UINT8, [])],
    cost: elementwiseCost(5),
  },
  {
    // x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, bias
    opType: "QLinearConv",
    data: [0, 3, 8],
    shape: (ctx) => [
      tensor(elemTypeOf(ctx, 7) ?? elemTypeOf(ctx, 0), convolved(ctx, shapeOf(ctx, 0), shapeOf(ctx, 3))),
    ],
    cost: (ctx) => convCost(ctx, 3, 8),
  },
  {
    opType: "ConvInteger",
    data: [0, 1],
    shape: (ctx) => [tensor(DataType.INT32, convolved(ctx, shapeOf(ctx, 0), shapeOf(ctx, 1)))],
    cost: (ctx) => convCost(ctx, 1),
  },
  {
    // a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point
    opType: "QLinearMatMul",
    data: [0, 3],
    shape: (ctx) => [tensor(elemTypeOf(ctx, 7) ?? elemTypeOf(ctx, 0), multiplied(shapeOf(ctx, 0), shapeOf(ctx, 3)))],
    cost: (ctx) => matmulCost(ctx),
  },
];
