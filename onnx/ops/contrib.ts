/**
 * Operators of com.microsoft that ONNX Runtime's optimiser and quantizer write: fused, integer and channels-last forms
 * of ai.onnx's (onnxruntime, docs/ContribOperators.md). The domain com.microsoft.nchwc holds its blocked layout.
 */
import type { Dim, Shape } from "../ir/graph.ts";
import { convCost, convolved } from "./conv.ts";
import { add, axisIn, broadcast, multiply, numericProduct, quotient, withDim } from "./dims.ts";
import { elementwiseCost } from "./elementwise.ts";
import { matmulCost, maybeTransposed, multiplied } from "./matmul.ts";
import { statisticsShape } from "./normalization.ts";
import {
  type CostRule,
  elemTypeOf,
  hasInput,
  type Inferred,
  type OpDef,
  type ShapeContext,
  type ShapeRule,
  shapeOf,
  tensor,
} from "./op.ts";
import { globalPooled, perInputCost, poolCost, pooled } from "./pool.ts";

const MICROSOFT = "com.microsoft";
const BLOCKED = "com.microsoft.nchwc";

function contrib(opType: string, shape: ShapeRule, cost?: CostRule): OpDef {
  return { opType, domain: MICROSOFT, shape, ...(cost && { cost }) };
}

/** An operator whose inputs hold data at these indices, and scales and zero points elsewhere. */
function quantized(data: readonly number[], op: OpDef): OpDef {
  return { ...op, data };
}

/** The output has the type of input 0. */
const same = (opType: string, perElement: number): OpDef =>
  contrib(opType, (ctx) => [tensor(elemTypeOf(ctx, 0), shapeOf(ctx, 0))], elementwiseCost(perElement));

const broadcastOf = (opType: string, inputs: readonly number[], typeFrom = inputs[0] ?? 0): OpDef =>
  contrib(
    opType,
    (ctx) => [tensor(elemTypeOf(ctx, typeFrom), broadcast(inputs.map((i) => shapeOf(ctx, i))))],
    elementwiseCost(inputs.length - 1),
  );

const toChannelsFirst = (shape: Shape | undefined): Shape | undefined =>
  shape && [shape[0] ?? null, shape.at(-1) ?? null, ...shape.slice(1, -1)];
const toChannelsLast = (shape: Shape | undefined): Shape | undefined =>
  shape && [shape[0] ?? null, ...shape.slice(2), shape[1] ?? null];

/** Applies a rule for channels-first shapes where the node says that its tensors are channels-last. */
function inLayout(last: boolean, shape: Shape | undefined, rule: (shape: Shape | undefined) => Shape | undefined) {
  return last ? toChannelsLast(rule(toChannelsFirst(shape))) : rule(shape);
}

function channelsLast(ctx: ShapeContext): boolean {
  return ctx.node.int("channels_last") === 1;
}

function fusedMatMul(ctx: ShapeContext): Inferred {
  const a = maybeTransposed(shapeOf(ctx, 0), ctx.node.int("transA"));
  const b = maybeTransposed(shapeOf(ctx, 1), ctx.node.int("transB"));
  return tensor(elemTypeOf(ctx, 0), multiplied(a, b));
}

function gemmDims(ctx: ShapeContext, b: number): Shape {
  const left = maybeTransposed(shapeOf(ctx, 0), ctx.node.int("transA"));
  const right = maybeTransposed(shapeOf(ctx, b), ctx.node.int("transB"));
  return [left?.[0] ?? null, right?.[1] ?? null];
}

const innerAxis = (transposed: number | undefined) => (transposed ? -2 : -1);

function multiplyKnown(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a * b;
}

/** A quantized matrix of N rows: output [..., N]. */
function nBits(ctx: ShapeContext): Inferred {
  const a = shapeOf(ctx, 0);
  return tensor(elemTypeOf(ctx, 0), a && withDim(a, a.length - 1, ctx.node.int("N") ?? null));
}

/** Inputs: Y_scale, Y_zero_point, then tensor, scale and zero point of each part. */
function qLinearConcat(ctx: ShapeContext): Inferred {
  const parts = ctx.node.inputs.flatMap((_, i) => (i >= 2 && (i - 2) % 3 === 0 ? [i] : []));
  const shapes = parts.map((i) => shapeOf(ctx, i));
  const first = shapes[0];
  const elemType = elemTypeOf(ctx, parts[0] ?? 2);
  if (!first) return tensor(elemType);
  const axis = axisIn(ctx.node.int("axis") ?? 1, first.length);
  return tensor(elemType, withDim(first, axis, shapes.map((s): Dim => s?.[axis] ?? null).reduce(add)));
}

function skipNormalized(ctx: ShapeContext): readonly Inferred[] {
  const whole = tensor(elemTypeOf(ctx, 0), shapeOf(ctx, 0));
  const statistics = tensor(1, statisticsShape(ctx));
  return [whole, statistics, statistics, whole];
}

/** Packed attention: input [batch, length, hidden], weights [hidden, 3 * hidden]. */
function packedAttention(ctx: ShapeContext): readonly Inferred[] {
  const x = shapeOf(ctx, 0);
  const elemType = elemTypeOf(ctx, 0);
  const valueSize = ctx.node.ints("qkv_hidden_sizes")?.[2] ?? quotient([shapeOf(ctx, 1)?.[1] ?? null], [3]);
  return [tensor(elemType, x && [...x.slice(0, 2), valueSize])];
}

/** The projection through the weights, then Q times K and the scores times V, each [length, length, hidden]. */
const packedAttentionCost: CostRule = (ctx) => {
  const [x, w, out] = [ctx.inputDims(0), ctx.inputDims(1), ctx.outputDims(0)];
  if (!x || !w || !out) return undefined;
  const [batch = 0, length = 0] = x;
  return { macs: batch * length * (numericProduct(w) + 2 * length * (out[2] ?? 0)), ops: 0 };
};

/** Query [batch, length, hidden], key and value likewise; the output is as wide as the value. */
function multiHead(ctx: ShapeContext): readonly Inferred[] {
  const q = shapeOf(ctx, 0);
  const value = shapeOf(ctx, 2);
  if (q?.length !== 3) return [tensor(elemTypeOf(ctx, 0))];
  const width = value?.length === 3 ? (value[2] ?? null) : (q[2] ?? null);
  return [tensor(elemTypeOf(ctx, 0), [q[0] ?? null, q[1] ?? null, width])];
}

/** Query, key, value, past key, past value; without key and value the query packs all three. */
function groupQuery(ctx: ShapeContext): readonly Inferred[] {
  const q = shapeOf(ctx, 0);
  const elemType = elemTypeOf(ctx, 0);
  const [heads, shared] = [ctx.node.int("num_heads"), ctx.node.int("kv_num_heads")];
  if (q?.length !== 3 || heads === undefined || shared === undefined) return [tensor(elemType)];
  const [batch = null, length = null, width = null] = q;
  const size = quotient([width], [hasInput(ctx, 1) ? heads : heads + 2 * shared]);
  const present = tensor(elemType, [batch, shared, null, size]);
  return [tensor(elemType, [batch, length, multiply(size, heads)]), present, present];
}

/** Q times K and the scores times V over past and present; the key is cached, so its length is that of the past. */
const groupQueryCost: CostRule = (ctx) => {
  const [q, past, out] = [ctx.inputDims(0), ctx.node.inputs[3] ? ctx.inputDims(3) : [0, 0, 0, 0], ctx.outputDims(0)];
  if (!q || !past || !out) return undefined;
  const [batch = 0, length = 0, width = 0] = out;
  return { macs: batch * length * ((past[2] ?? 0) + length) * width * 2, ops: 0 };
};

const multiHeadCost: CostRule = (ctx) => {
  const [q, k, out] = [ctx.inputDims(0), ctx.inputDims(1), ctx.outputDims(0)];
  if (!q || k?.length !== 3 || !out) return undefined;
  const scores = (q[0] ?? 0) * (q[1] ?? 0) * (k[1] ?? 0);
  return { macs: scores * ((q[2] ?? 0) + (out[2] ?? 0)), ops: 0 };
};

function embedded(ctx: ShapeContext): readonly Inferred[] {
  const ids = shapeOf(ctx, 0);
  const shape = ids && [...ids, shapeOf(ctx, 2)?.[1] ?? null];
  const whole = tensor(elemTypeOf(ctx, 2), shape);
  return [whole, tensor(6, [ids?.[0] ?? null]), whole];
}

const blocked = (opType: string, shape: ShapeRule, cost?: CostRule): OpDef => ({
  opType,
  domain: BLOCKED,
  shape,
  ...(cost && { cost }),
});
/** Blocks have 8 or 16 channels, as the processor has it; fewer channels are padded to a whole block. */
const wholeBlocks = (shape: Shape | undefined): Shape | undefined =>
  shape && withDim(shape, 1, typeof shape[1] === "number" && shape[1] % 16 === 0 ? shape[1] : null);
const blockedPool = (opType: string): OpDef =>
  blocked(opType, (ctx) => [tensor(elemTypeOf(ctx, 0), pooled(ctx, shapeOf(ctx, 0)))], poolCost);
const blockedGlobalPool = (opType: string): OpDef =>
  blocked(opType, (ctx) => [tensor(elemTypeOf(ctx, 0), globalPooled(shapeOf(ctx, 0)))], perInputCost);
const convolution: ShapeRule = (ctx) => [tensor(elemTypeOf(ctx, 0), convolved(ctx, shapeOf(ctx, 0), shapeOf(ctx, 1)))];
/** Channels are padded to whole blocks in the weight only, so the two counts may differ. */
const blockedConvolution: ShapeRule = (ctx) => {
  const x = shapeOf(ctx, 0);
  return [tensor(elemTypeOf(ctx, 0), convolved(ctx, x && withDim(x, 1, null), shapeOf(ctx, 1)))];
};

export const contribOps: readonly OpDef[] = [
  contrib("FusedConv", convolution, (ctx) => convCost(ctx, 1, 2)),
  contrib(
    "NhwcFusedConv",
    (ctx) => [
      tensor(
        elemTypeOf(ctx, 0),
        inLayout(true, shapeOf(ctx, 0), (x) => convolved(ctx, x, shapeOf(ctx, 1))),
      ),
    ],
    (ctx) => convCost(ctx, 1, 2),
  ),
  quantized(
    [0, 3, 8],
    contrib(
      "QLinearConv",
      (ctx) => [
        tensor(
          elemTypeOf(ctx, 7) ?? elemTypeOf(ctx, 0),
          inLayout(channelsLast(ctx), shapeOf(ctx, 0), (x) => convolved(ctx, x, shapeOf(ctx, 3))),
        ),
      ],
      (ctx) => convCost(ctx, 3, 8),
    ),
  ),
  contrib(
    "FusedMatMul",
    (ctx) => [fusedMatMul(ctx)],
    (ctx) => matmulCost(ctx, 0, innerAxis(ctx.node.int("transA"))),
  ),
  contrib(
    "FusedGemm",
    (ctx) => [tensor(elemTypeOf(ctx, 0), gemmDims(ctx, 1))],
    (ctx) => matmulCost(ctx, 0, innerAxis(ctx.node.int("transA"))),
  ),
  quantized(
    [0, 3, 6],
    contrib(
      "QGemm",
      (ctx) => [tensor(elemTypeOf(ctx, 8) ?? (ctx.node.inputs[7] ? elemTypeOf(ctx, 0) : 1), gemmDims(ctx, 3))],
      (ctx) => matmulCost(ctx, 0, innerAxis(ctx.node.int("transA"))),
    ),
  ),
  quantized(
    [0, 1, 4],
    contrib(
      "DynamicQuantizeMatMul",
      (ctx) => [tensor(elemTypeOf(ctx, 0), multiplied(shapeOf(ctx, 0), shapeOf(ctx, 1)))],
      (ctx) => matmulCost(ctx),
    ),
  ),
  quantized(
    [0, 1, 6],
    contrib(
      "MatMulIntegerToFloat",
      (ctx) => [tensor(elemTypeOf(ctx, 2), multiplied(shapeOf(ctx, 0), shapeOf(ctx, 1)))],
      (ctx) => matmulCost(ctx),
    ),
  ),
  {
    ...contrib(
      "MatMulNBits",
      (ctx) => [nBits(ctx)],
      (ctx) => matmulCost(ctx),
    ),
    data: [0, 1, 5],
    packedParameters: (node) => multiplyKnown(node.int("N"), node.int("K")),
  },
  contrib(
    "MatMulBnb4",
    (ctx) => [nBits(ctx)],
    (ctx) => matmulCost(ctx),
  ),
  same("Gelu", 5),
  same("QuickGelu", 4),
  same("FastGelu", 8),
  same("BiasGelu", 6),
  same("RotaryEmbedding", 3),
  same("GroupNorm", 8),
  same("BiasSoftmax", 6),
  contrib("SkipLayerNormalization", skipNormalized, elementwiseCost(9)),
  contrib("SkipSimplifiedLayerNormalization", skipNormalized, elementwiseCost(6)),
  {
    // ONNX Runtime registers this one in ai.onnx.
    opType: "SimplifiedLayerNormalization",
    shape: (ctx) => [tensor(elemTypeOf(ctx, 0), shapeOf(ctx, 0)), tensor(1, statisticsShape(ctx))],
    cost: elementwiseCost(5),
  },
  contrib("EmbedLayerNormalization", embedded, elementwiseCost(10)),
  contrib("Attention", packedAttention, packedAttentionCost),
  contrib("MultiHeadAttention", multiHead, multiHeadCost),
  contrib("GroupQueryAttention", groupQuery, groupQueryCost),
  quantized([0, 3], broadcastOf("QLinearAdd", [0, 3])),
  quantized([0, 3], broadcastOf("QLinearMul", [0, 3])),
  broadcastOf("QLinearWhere", [0, 1, 4], 1),
  same("QLinearSigmoid", 3),
  same("QLinearLeakyRelu", 2),
  same("QLinearSoftmax", 5),
  contrib("QLinearConcat", (ctx) => [qLinearConcat(ctx)]),
  contrib(
    "QLinearAveragePool",
    (ctx) => [
      tensor(
        elemTypeOf(ctx, 0),
        inLayout(channelsLast(ctx), shapeOf(ctx, 0), (x) => pooled(ctx, x)),
      ),
    ],
    poolCost,
  ),
  contrib(
    "QLinearGlobalAveragePool",
    (ctx) => [tensor(elemTypeOf(ctx, 0), inLayout(channelsLast(ctx), shapeOf(ctx, 0), globalPooled))],
    perInputCost,
  ),
  contrib(
    "NhwcMaxPool",
    (ctx) => [
      tensor(
        elemTypeOf(ctx, 0),
        inLayout(true, shapeOf(ctx, 0), (x) => pooled(ctx, x)),
      ),
    ],
    poolCost,
  ),
  quantized(
    [0],
    contrib("QuantizeLinear", (ctx) => [tensor(elemTypeOf(ctx, 2) ?? 2, shapeOf(ctx, 0))], elementwiseCost(3)),
  ),
  quantized(
    [0],
    contrib("DequantizeLinear", (ctx) => [tensor(elemTypeOf(ctx, 1), shapeOf(ctx, 0))], elementwiseCost(2)),
  ),
  blocked("Conv", blockedConvolution, (ctx) => convCost(ctx, 1, 2)),
  blockedPool("MaxPool"),
  blockedPool("AveragePool"),
  blockedGlobalPool("GlobalMaxPool"),
  blockedGlobalPool("GlobalAveragePool"),
  blocked("ReorderInput", (ctx) => [
    tensor(elemTypeOf(ctx, 0), wholeBlocks(channelsLast(ctx) ? toChannelsFirst(shapeOf(ctx, 0)) : shapeOf(ctx, 0))),
  ]),
  blocked("ReorderOutput", (ctx) => {
    const x = shapeOf(ctx, 0);
    const trimmed = x && withDim(x, 1, ctx.node.int("channels") ?? null);
    return [tensor(elemTypeOf(ctx, 0), channelsLast(ctx) ? toChannelsLast(trimmed) : trimmed)];
  }),
  blocked(
    "Upsample",
    (ctx) => {
      const scales = ctx.node.ints("scales");
      const x = shapeOf(ctx, 0);
      const scaled = x?.map((dim, i) => (typeof dim === "number" && scales ? dim * (scales[i] ?? 1) : null));
      return [tensor(elemTypeOf(ctx, 0), scaled)];
    },
    elementwiseCost(1),
  ),
];
