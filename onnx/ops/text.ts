/** Operators on strings, as text front ends use them. */
import { DataType } from "../ir/dataType.ts";
import type { Shape } from "../ir/graph.ts";
import { broadcast } from "./dims.ts";
import { type OpDef, type ShapeContext, shapeOf, tensor } from "./op.ts";

/** Stop words may be taken out of the last dimension. */
function normalizedStrings(ctx: ShapeContext): Shape | undefined {
  return shapeOf(ctx, 0)?.map((dim, i, all) => (i === all.length - 1 ? null : dim));
}

/** The last dimension becomes one entry for each n-gram, as many as the largest index says. */
function ngramCounts(ctx: ShapeContext): Shape | undefined {
  const indexes = ctx.node.ints("ngram_indexes") ?? [];
  return shapeOf(ctx, 0)?.map((dim, i, all) => (i === all.length - 1 ? Math.max(...indexes) + 1 : dim));
}

export const textOps: readonly OpDef[] = [
  {
    opType: "StringConcat",
    shape: (ctx) => [tensor(DataType.STRING, broadcast([shapeOf(ctx, 0), shapeOf(ctx, 1)]))],
  },
  {
    opType: "StringSplit",
    shape: (ctx) => {
      const shape = shapeOf(ctx, 0);
      return [tensor(DataType.STRING, shape && [...shape, null]), tensor(DataType.INT64, shape)];
    },
  },
  { opType: "StringNormalizer", shape: (ctx) => [tensor(DataType.STRING, normalizedStrings(ctx))] },
  { opType: "RegexFullMatch", shape: (ctx) => [tensor(DataType.BOOL, shapeOf(ctx, 0))] },
  { opType: "TfIdfVectorizer", shape: (ctx) => [tensor(DataType.FLOAT, ngramCounts(ctx))] },
];
