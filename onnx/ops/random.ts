/** Random tensors: the shape is an attribute, or that of another tensor. */
import { DataType } from "../ir/dataType.ts";
import { elemTypeOf, type OpDef, shapeOf, tensor } from "./op.ts";

function random(opType: string): OpDef {
  return {
    opType,
    shape: ({ node }) => [tensor(node.int("dtype") ?? DataType.FLOAT, node.ints("shape"))],
  };
}

function randomLike(opType: string): OpDef {
  return { opType, shape: (ctx) => [tensor(ctx.node.int("dtype") ?? elemTypeOf(ctx, 0), shapeOf(ctx, 0))] };
}

export const randomOps: readonly OpDef[] = [
  random("RandomNormal"),
  random("RandomUniform"),
  randomLike("RandomNormalLike"),
  randomLike("RandomUniformLike"),
  randomLike("Bernoulli"),
  {
    opType: "Multinomial",
    shape: (ctx) => [
      tensor(ctx.node.int("dtype") ?? DataType.INT32, [shapeOf(ctx, 0)?.[0] ?? null, ctx.node.int("sample_size") ?? 1]),
    ],
  },
];
