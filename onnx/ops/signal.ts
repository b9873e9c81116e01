/** Fourier transforms, windows and mel filters of speech front ends (opset 17). */
import { DataType } from "../ir/dataType.ts";
import type { Dim, Shape } from "../ir/graph.ts";
import { axisIn, isKnown, mapDim, numericProduct, withDim } from "./dims.ts";
import {
  type CostContext,
  elemTypeOf,
  hasInput,
  type OpCost,
  type OpDef,
  type ShapeContext,
  shapeOf,
  tensor,
} from "./op.ts";

const half = (length: Dim) => mapDim(length, (n) => Math.floor(n / 2) + 1);

/** Input [batch, ..., 1 or 2]; the transformed axis is an attribute in opset 17, an input from 20. */
function dft(ctx: ShapeContext): Shape | undefined {
  const shape = shapeOf(ctx, 0);
  if (!shape) return undefined;
  const given: Dim =
    ctx.opset < 20 ? (ctx.node.int("axis") ?? 1) : hasInput(ctx, 2) ? (ctx.input(2).elements?.[0] ?? null) : -2;
  if (!isKnown(given)) return undefined;
  const axis = axisIn(given, shape.length);
  const onesided = ctx.node.int("onesided") === 1;
  const inverse = ctx.node.int("inverse") === 1;
  const whole = onesided && inverse ? mapDim(shape[axis] ?? null, (n) => 2 * (n - 1)) : (shape[axis] ?? null);
  const length = hasInput(ctx, 1) ? (ctx.input(1).elements?.[0] ?? null) : whole;
  const out = withDim(shape, axis, onesided && !inverse ? half(length) : length);
  return withDim(out, shape.length - 1, onesided && inverse ? 1 : 2);
}

/** Signal [batch, length, 1 or 2], step, window, frame length; gives [batch, frames, bins, 2]. */
function stft(ctx: ShapeContext): Shape | undefined {
  const signal = shapeOf(ctx, 0);
  const step = ctx.input(1).elements?.[0] ?? null;
  const frame = hasInput(ctx, 3) ? (ctx.input(3).elements?.[0] ?? null) : (shapeOf(ctx, 2)?.[0] ?? null);
  const length = signal?.[1] ?? null;
  const frames = isKnown(length) && isKnown(frame) && isKnown(step) ? Math.floor((length - frame) / step) + 1 : null;
  const onesided = (ctx.node.int("onesided") ?? 1) === 1;
  return [signal?.[0] ?? null, frames, onesided ? half(frame) : frame, 2];
}

/** 5 n log2 n operations for each complex transform of n points (radix 2). */
function transformCost(ctx: CostContext, points: number | undefined): OpCost | undefined {
  const out = ctx.outputDims(0);
  const bins = out?.at(-2);
  if (!out || !points || !bins) return undefined;
  const transforms = numericProduct(out) / (bins * 2);
  return { macs: 0, ops: transforms * 5 * points * Math.log2(points) };
}

function window(opType: string): OpDef {
  return {
    opType,
    shape: (ctx) => [tensor(ctx.node.int("output_datatype") ?? DataType.FLOAT, [ctx.input(0).elements?.[0] ?? null])],
  };
}

export const signalOps: readonly OpDef[] = [
  {
    opType: "DFT",
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), dft(ctx))],
    // The axis may be an input: the whole is counted as one transform over all its points, an upper bound.
    cost: (ctx) => {
      const out = ctx.outputDims(0);
      const points = out && numericProduct(out) / 2;
      return points ? { macs: 0, ops: 5 * points * Math.log2(points) } : undefined;
    },
  },
  {
    opType: "STFT",
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), stft(ctx))],
    cost: (ctx) => {
      const bins = ctx.outputDims(0)?.at(-2);
      const onesided = (ctx.node.int("onesided") ?? 1) === 1;
      return transformCost(ctx, ctx.inputDims(2)?.[0] ?? (bins && onesided ? 2 * (bins - 1) : bins));
    },
  },
  window("HannWindow"),
  window("HammingWindow"),
  window("BlackmanWindow"),
  {
    opType: "MelWeightMatrix",
    shape: (ctx) => [
      tensor(ctx.node.int("output_datatype") ?? DataType.FLOAT, [
        half(ctx.input(1).elements?.[0] ?? null),
        ctx.input(0).elements?.[0] ?? null,
      ]),
    ],
  },
];
