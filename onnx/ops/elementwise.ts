/** One output element from the input elements at the same place, with broadcasting where there are several inputs. */

import { DataType } from "../ir/dataType.ts";
import type { Dim } from "../ir/graph.ts";
import { add, broadcast, isKnown, multiply, numericProduct } from "./dims.ts";
import { type ElementFunction, evaluate, numeric } from "./elements.ts";
import { type CostContext, elemTypeOf, type OpCost, type OpDef, type ShapeContext, shapeOf, tensor } from "./op.ts";
import { pointwisePrune } from "./pruneElementwise.ts";
import { staysFloat } from "./quantizeCarry.ts";

/** `perElement` operations for each output element; null inputs of a variadic operator do not occur. */
export function elementwiseCost(perElement: number): (ctx: CostContext) => OpCost | undefined {
  return (ctx) => {
    const out = ctx.outputDims(0);
    return out && { macs: 0, ops: numericProduct(out) * perElement };
  };
}

interface UnaryOptions {
  readonly evaluate?: ElementFunction;
  readonly elemType?: number;
}

function unary(opType: string, options: UnaryOptions = {}): OpDef {
  const f = options.evaluate;
  return {
    opType,
    shape: (ctx) => [
      {
        ...tensor(options.elemType ?? elemTypeOf(ctx, 0), shapeOf(ctx, 0)),
        ...(f && { elements: evaluate(ctx, [0], f) }),
      },
    ],
    cost: elementwiseCost(1),
    pointwise: true,
    prune: pointwisePrune,
  };
}

interface NaryOptions {
  readonly evaluate?: (ctx: ShapeContext) => ElementFunction;
  readonly elemType?: number;
}

function nary(opType: string, options: NaryOptions = {}): OpDef {
  return {
    opType,
    quantize: staysFloat("element-wise: integers would add rounding and save nothing"),
    shape: (ctx) => {
      const inputs = ctx.node.inputs.map((_, i) => i);
      return [
        {
          ...tensor(options.elemType ?? elemTypeOf(ctx, 0), broadcast(inputs.map((i) => shapeOf(ctx, i)))),
          ...(options.evaluate && { elements: evaluate(ctx, inputs, options.evaluate(ctx)) }),
        },
      ];
    },
    cost: (ctx) => elementwiseCost(Math.max(1, ctx.node.inputs.length - 1))(ctx),
    pointwise: true,
    prune: pointwisePrune,
  };
}

function isFloatType(elemType: number | undefined): boolean {
  const floats: readonly number[] = [DataType.FLOAT, DataType.FLOAT16, DataType.DOUBLE, DataType.BFLOAT16];
  return elemType !== undefined && floats.includes(elemType);
}

function subtract(a: Dim, b: Dim): Dim {
  if (b === 0) return a;
  if (a !== null && a === b) return 0;
  return isKnown(a) && isKnown(b) ? a - b : null;
}

function divide(a: Dim, b: Dim, float: boolean): Dim {
  if (b === 1) return a;
  if (!isKnown(a) || !isKnown(b) || b === 0) return null;
  return float ? a / b : Math.trunc(a / b);
}

/** A symbol is a dimension, hence never negative. */
function equal(a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null;
  if (a === b) return 1;
  if (isKnown(a) && isKnown(b)) return 0;
  return (isKnown(a) && a < 0) || (isKnown(b) && b < 0) ? 0 : null;
}

function remainder(ctx: ShapeContext): ElementFunction {
  const truncated = ctx.node.int("fmod") === 1;
  return numeric((a, b) => (truncated ? a % b : a - b * Math.floor(a / b)));
}

const not: ElementFunction = (a) => (isKnown(a) ? Number(a === 0) : null);
const reduceBy =
  (f: (a: Dim, b: Dim) => Dim): ElementFunction =>
  (...args) =>
    args.slice(1).reduce((a, b) => f(a, b), args[0] ?? null);
const extremum = (f: (a: number, b: number) => number): ElementFunction =>
  reduceBy((a, b) => (a !== null && a === b ? a : isKnown(a) && isKnown(b) ? f(a, b) : null));
/** Ties round to the even neighbour (ONNX, Round). */
function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

const BOOL = DataType.BOOL;
const compare = (opType: string, f: (a: number, b: number) => boolean): OpDef =>
  nary(opType, { elemType: BOOL, evaluate: () => numeric((a, b) => Number(f(a, b))) });

export const elementwiseOps: readonly OpDef[] = [
  nary("Add", { evaluate: () => reduceBy(add) }),
  nary("Sub", { evaluate: () => reduceBy(subtract) }),
  nary("Mul", { evaluate: () => reduceBy(multiply) }),
  nary("Div", { evaluate: (ctx) => (a, b) => divide(a ?? null, b ?? null, isFloatType(elemTypeOf(ctx, 0))) }),
  nary("Mod", { evaluate: remainder }),
  nary("Pow", { evaluate: () => numeric((a, b) => a ** b) }),
  nary("Min", { evaluate: () => extremum(Math.min) }),
  nary("Max", { evaluate: () => extremum(Math.max) }),
  nary("Sum"),
  nary("Mean"),
  nary("BitShift"),
  nary("BitwiseAnd"),
  nary("BitwiseOr"),
  nary("BitwiseXor"),
  nary("Equal", { elemType: BOOL, evaluate: () => (a, b) => equal(a ?? null, b ?? null) }),
  compare("Greater", (a, b) => a > b),
  compare("GreaterOrEqual", (a, b) => a >= b),
  compare("Less", (a, b) => a < b),
  compare("LessOrEqual", (a, b) => a <= b),
  nary("And", { elemType: BOOL, evaluate: () => numeric((a, b) => a & b) }),
  nary("Or", { elemType: BOOL, evaluate: () => numeric((a, b) => a | b) }),
  nary("Xor", { elemType: BOOL, evaluate: () => numeric((a, b) => a ^ b) }),
  unary("Not", { evaluate: not, elemType: BOOL }),
  unary("Neg", { evaluate: numeric((a) => -a) }),
  unary("Abs", { evaluate: (a) => (isKnown(a) ? Math.abs(a) : (a ?? null)) }),
  unary("Sign", { evaluate: numeric(Math.sign) }),
  unary("Floor", { evaluate: (a) => (isKnown(a) ? Math.floor(a) : (a ?? null)) }),
  unary("Ceil", { evaluate: (a) => (isKnown(a) ? Math.ceil(a) : (a ?? null)) }),
  unary("Round", { evaluate: numeric(roundHalfEven) }),
  unary("Sqrt", { evaluate: numeric(Math.sqrt) }),
  unary("Reciprocal", { evaluate: numeric((a) => 1 / a) }),
  unary("IsNaN", { elemType: BOOL }),
  unary("IsInf", { elemType: BOOL }),
  ...["Exp", "Log", "Erf", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh"].map(
    (opType) => unary(opType),
  ),
  unary("BitwiseNot"),
  {
    opType: "Where",
    pointwise: true,
    shape: (ctx) => [
      {
        ...tensor(elemTypeOf(ctx, 1), broadcast([shapeOf(ctx, 0), shapeOf(ctx, 1), shapeOf(ctx, 2)])),
        elements: evaluate(ctx, [0, 1, 2], (c, a, b) => (isKnown(c) ? (c ? a : b) : a === b ? a : null) ?? null),
      },
    ],
    cost: elementwiseCost(1),
    prune: pointwisePrune,
  },
];
