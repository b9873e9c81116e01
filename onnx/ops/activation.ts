/** Activation functions, Softmax and Dropout: the output has the input's shape. */

import { DataType } from "../ir/dataType.ts";
import { evaluate } from "./elements.ts";
import { elementwiseCost } from "./elementwise.ts";
import { elemTypeOf, type OpDef, type ShapeContext, shapeOf, tensor } from "./op.ts";
import { mixingPrune, pointwisePrune } from "./pruneElementwise.ts";
import { staysFloat } from "./quantizeCarry.ts";
import { responseRule } from "./quantizeResponse.ts";

function sameType(ctx: ShapeContext) {
  return tensor(elemTypeOf(ctx, 0), shapeOf(ctx, 0));
}

/** `perElement`: arithmetic operations for one element, a transcendental function counted as one. */
function activation(opType: string, perElement = 1): OpDef {
  return {
    opType,
    pointwise: true,
    shape: (ctx) => [sameType(ctx)],
    cost: elementwiseCost(perElement),
    prune: pointwisePrune,
    quantize: responseRule(opType),
  };
}

/** Maximum, subtraction, exponential, sum and division for each element. */
function softmax(opType: string): OpDef {
  return {
    opType,
    quantize: staysFloat("its values span more magnitudes than 8 bits hold"),
    shape: (ctx) => [sameType(ctx)],
    cost: elementwiseCost(5),
    prune: mixingPrune,
  };
}

export const activationOps: readonly OpDef[] = [
  activation("Relu"),
  activation("LeakyRelu", 2),
  activation("PRelu", 2),
  activation("ThresholdedRelu"),
  activation("Elu", 3),
  activation("Selu", 4),
  activation("Celu", 4),
  activation("Sigmoid", 3),
  activation("HardSigmoid", 3),
  activation("HardSwish", 4),
  activation("Swish", 4),
  activation("SwiGLU", 5),
  activation("Mish", 5),
  activation("Gelu", 5),
  activation("Tanh"),
  activation("Softplus", 3),
  activation("Softsign", 3),
  activation("Shrink", 2),
  softmax("Softmax"),
  softmax("LogSoftmax"),
  softmax("Hardmax"),
  {
    opType: "Clip",
    pointwise: true,
    shape: (ctx) => [{ ...sameType(ctx), elements: clipped(ctx) }],
    cost: elementwiseCost(2),
    prune: pointwisePrune,
    quantize: responseRule("Clip"),
  },
  {
    // With a third input, training mode, elements may be dropped.
    opType: "Dropout",
    memory: "view",
    shape: (ctx) => [
      { ...sameType(ctx), ...(!ctx.node.inputs[2] && { elements: ctx.input(0).elements }) },
      tensor(ctx.opset < 10 ? elemTypeOf(ctx, 0) : DataType.BOOL, shapeOf(ctx, 0)),
    ],
    prune: pointwisePrune,
  },
];

/** Bounds are inputs since opset 11, floats in attributes before. */
function clipped(ctx: ShapeContext) {
  const low = ctx.node.inputs[1] ? ctx.input(1).elements?.[0] : (ctx.node.float("min") ?? Number.NEGATIVE_INFINITY);
  const high = ctx.node.inputs[2] ? ctx.input(2).elements?.[0] : (ctx.node.float("max") ?? Number.POSITIVE_INFINITY);
  if (typeof low !== "number" || typeof high !== "number") return undefined;
  return evaluate(ctx, [0], (x) => (typeof x === "number" ? Math.min(Math.max(x, low), high) : null));
}
