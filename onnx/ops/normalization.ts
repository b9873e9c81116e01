/** Normalisation layers: the first output has the input's shape; some give statistics besides. */

import { DataType } from "../ir/dataType.ts";
import type { Shape } from "../ir/graph.ts";
import { axisIn } from "./dims.ts";
import { elementwiseCost } from "./elementwise.ts";
import { elemTypeOf, type Inferred, type OpDef, type ShapeContext, shapeOf, tensor } from "./op.ts";
import { channelNormPrune, mixingPrune } from "./pruneElementwise.ts";
import type { PruneRule } from "./pruneRule.ts";
import { staysFloat } from "./quantizeCarry.ts";

function normalized(ctx: ShapeContext): Inferred {
  return tensor(elemTypeOf(ctx, 0), shapeOf(ctx, 0));
}

/** Mean and variance over the normalised axes, then a scale and a shift: about 8 operations an element. */
const STATISTICS = 8;
const STATISTICS_IN_FLOAT = "statistics of its inputs need float";

function plain(opType: string, perElement = STATISTICS, prune?: PruneRule): OpDef {
  const quantize = staysFloat(STATISTICS_IN_FLOAT);
  return {
    opType,
    quantize,
    shape: (ctx) => [normalized(ctx)],
    cost: elementwiseCost(perElement),
    ...(prune && { prune }),
  };
}

/** Shape of mean and inverse deviation: the normalised axes, from `axis` on, have size 1. */
export function statisticsShape(ctx: ShapeContext): Shape | undefined {
  const shape = shapeOf(ctx, 0);
  if (!shape) return undefined;
  const axis = axisIn(ctx.node.int("axis") ?? -1, shape.length);
  return shape.map((dim, i) => (i < axis ? dim : 1));
}

export const normalizationOps: readonly OpDef[] = [
  {
    opType: "BatchNormalization",
    pointwise: true,
    // Running mean and variance follow in training mode; files before opset 14 may list saved statistics too.
    shape: (ctx) => [
      normalized(ctx),
      ...ctx.node.outputs.slice(1).map((_, i) => {
        const source = i % 2 === 0 ? 3 : 4;
        return tensor(elemTypeOf(ctx, source), shapeOf(ctx, source));
      }),
    ],
    cost: elementwiseCost(2),
    prune: channelNormPrune,
  },
  {
    opType: "LayerNormalization",
    quantize: staysFloat(STATISTICS_IN_FLOAT),
    shape: (ctx) => {
      const statistics = tensor(ctx.node.int("stash_type") ?? DataType.FLOAT, statisticsShape(ctx));
      return [normalized(ctx), statistics, statistics];
    },
    cost: elementwiseCost(STATISTICS),
    prune: mixingPrune,
  },
  plain("InstanceNormalization", STATISTICS, channelNormPrune),
  plain("GroupNormalization"),
  plain("RMSNormalization", 5, mixingPrune),
  plain("LpNormalization", 3),
  plain("MeanVarianceNormalization"),
  {
    opType: "LRN",
    shape: (ctx) => [normalized(ctx)],
    cost: (ctx) => elementwiseCost(2 * (ctx.node.int("size") ?? 1) + 3)(ctx),
  },
];
