/** Attention and rotary embeddings as ONNX defines them since opset 23. */
import type { Dim, Shape } from "../ir/graph.ts";
import { add, mapDim, multiply, numericProduct, quotient } from "./dims.ts";
import { elementwiseCost } from "./elementwise.ts";
import {
  type CostContext,
  elemTypeOf,
  hasInput,
  type Inferred,
  type OpCost,
  type OpDef,
  type ShapeContext,
  shapeOf,
  tensor,
} from "./op.ts";

/** [batch, heads, length, head size] from either that, or [batch, length, heads * head size]. */
function byHeads(shape: Shape | undefined, heads: number | undefined): Shape | undefined {
  if (!shape || shape.length === 4) return shape;
  const [batch = null, length = null, hidden = null] = shape;
  return [batch, heads ?? null, length, heads === undefined ? null : quotient([hidden], [heads])];
}

/** Inputs: Q, K, V, mask, past key, past value. Outputs: Y, present key, present value, QK. */
function attention(ctx: ShapeContext): readonly Inferred[] {
  const { node } = ctx;
  const elemType = elemTypeOf(ctx, 0);
  const given = shapeOf(ctx, 0);
  const q = byHeads(given, node.int("q_num_heads"));
  const k = byHeads(shapeOf(ctx, 1), node.int("kv_num_heads"));
  const v = byHeads(shapeOf(ctx, 2), node.int("kv_num_heads"));
  if (!given || !q || !k || !v) return [tensor(elemType)];
  const past: Dim = hasInput(ctx, 4) ? (shapeOf(ctx, 4)?.[2] ?? null) : 0;
  const total = add(past, k[2] ?? null);
  const [batch = null, heads = null, length = null] = q;
  const headSize = v[3] ?? null;
  const hidden = multiply(heads, headSize);
  const grown = (shape: Shape) => shape.map((dim, axis) => (axis === 2 ? total : dim));
  return [
    tensor(elemType, given.length === 4 ? [batch, heads, length, headSize] : [batch, length, hidden]),
    tensor(elemTypeOf(ctx, 1), grown(k)),
    tensor(elemTypeOf(ctx, 2), grown(v)),
    tensor(elemType, [batch, heads, length, total]),
  ];
}

/** Q times K and the weights times V: two products over [length, total, head size]. */
function attentionCost(ctx: CostContext): OpCost | undefined {
  const [q, k, v] = [ctx.inputDims(0), ctx.inputDims(1), ctx.inputDims(2)];
  if (!q || !k || !v) return undefined;
  const heads = q.length === 4 ? (q[1] ?? 1) : (ctx.node.int("q_num_heads") ?? 1);
  const [batch = 1] = q;
  const rows = q.at(-2) ?? 0;
  const past = ctx.node.inputs[4] ? ctx.inputDims(4)?.[2] : 0;
  const columns = past === undefined ? undefined : past + (k.at(-2) ?? 0);
  if (columns === undefined) return undefined;
  const kvHeads = ctx.node.int("kv_num_heads") ?? heads;
  const keySize = q.length === 4 ? (q[3] ?? 0) : (q[2] ?? 0) / heads;
  const valueSize = v.length === 4 ? (v[3] ?? 0) : (v[2] ?? 0) / kvHeads;
  const scores = batch * heads * rows * columns;
  return { macs: scores * (keySize + valueSize), ops: scores * 5 };
}

/** The recurrent state is [batch, heads, key size, value size]; inputs are packed by heads. */
function linearAttention(ctx: ShapeContext): readonly Inferred[] {
  const heads = ctx.node.int("kv_num_heads");
  const [q, k, v] = [shapeOf(ctx, 0), byHeads(shapeOf(ctx, 1), heads), byHeads(shapeOf(ctx, 2), heads)];
  const elemType = elemTypeOf(ctx, 0);
  if (!q || !k || !v) return [tensor(elemType)];
  const [batch = null, length = null] = q;
  const width = multiply(v[3] ?? null, ctx.node.int("q_num_heads") ?? null);
  const state = tensor(hasInput(ctx, 3) ? elemTypeOf(ctx, 3) : elemType, [
    batch,
    heads ?? null,
    k[3] ?? null,
    v[3] ?? null,
  ]);
  return [tensor(elemType, [batch, length, width]), state];
}

/** Each position adds the product of key and value to the state and reads it once for each query head. */
function linearAttentionCost(ctx: CostContext): OpCost | undefined {
  const [k, v] = [ctx.inputDims(1), ctx.inputDims(2)];
  const [keyed, asked] = [ctx.node.int("kv_num_heads"), ctx.node.int("q_num_heads")];
  if (!k || !v || !keyed || !asked) return undefined;
  const [batch = 0, length = 0, width = 0] = k;
  return { macs: batch * length * (width / keyed) * ((v[2] ?? 0) / keyed) * (keyed + asked), ops: 0 };
}

/** The state holds the last kernel - 1 positions of each channel. */
function causalConvolution(ctx: ShapeContext): readonly Inferred[] {
  const x = shapeOf(ctx, 0);
  const kernel = shapeOf(ctx, 1)?.[2] ?? null;
  const state = x && [...x.slice(0, 2), mapDim(kernel, (n) => n - 1)];
  return [tensor(elemTypeOf(ctx, 0), x), tensor(elemTypeOf(ctx, 0), state)];
}

export const attentionOps: readonly OpDef[] = [
  { opType: "Attention", shape: attention, cost: attentionCost },
  { opType: "LinearAttention", shape: linearAttention, cost: linearAttentionCost },
  {
    opType: "CausalConvWithState",
    shape: causalConvolution,
    cost: (ctx) => {
      const [x, weight] = [ctx.inputDims(0), ctx.inputDims(1)];
      return x && weight && { macs: numericProduct(x) * (weight[2] ?? 1), ops: 0 };
    },
  },
  {
    opType: "RotaryEmbedding",
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), shapeOf(ctx, 0))],
    cost: elementwiseCost(3),
  },
];
