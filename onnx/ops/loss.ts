/** Losses, which files exported for training still carry. */
import type { Shape } from "../ir/graph.ts";
import { elemTypeOf, type OpDef, type ShapeContext, shapeOf, tensor } from "./op.ts";

/** Reduced to a number, or one for each label. */
function lossShape(ctx: ShapeContext): Shape | undefined {
  return ctx.node.string("reduction") === "none" ? shapeOf(ctx, 1) : [];
}

export const lossOps: readonly OpDef[] = [
  { opType: "NegativeLogLikelihoodLoss", shape: (ctx) => [tensor(elemTypeOf(ctx, 0), lossShape(ctx))] },
  {
    opType: "SoftmaxCrossEntropyLoss",
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), lossShape(ctx)), tensor(elemTypeOf(ctx, 0), shapeOf(ctx, 0))],
  },
];
