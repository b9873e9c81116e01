/**
 * What follows a linear layer as y = s * x + t per output channel, and how the layer takes it in:
 *   BatchNormalization            s = scale / sqrt(var + epsilon), t = bias - mean * s
 *   Mul c, Div c, Add c, Sub c    s = c | 1/c | 1 | 1,             t = 0 | 0 | c | -c, with c constant
 *   s * (W x + b) + t = (s * W) x + (s * b + t)
 */
import { DataType } from "../../ir/dataType.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { isOp, roundsOnPurpose } from "./rule.ts";

/** One factor and one summand for each output channel. */
export interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** Reads a node as an affine function of the values it gets from `x`; a string says why it is none. */
export async function affineOf(node: Node, x: Value, channels: number): Promise<Affine | string> {
  if (isOp(node, "BatchNormalization")) return batchNormAffine(node, channels);
  const [a, b] = node.inputs;
  const other = a === x ? b : a;
  if (!other || other === x) return "its operands are the same value";
  const values = await perChannel(other, { x, y: node.output(), channels });
  if (typeof values === "string") return values;
  if (isOp(node, "Mul")) return { scale: values, shift: fill(channels, 0) };
  if (isOp(node, "Add", "Sub") && values.some(roundsOnPurpose)) return "its constant is large enough to round by";
  if (isOp(node, "Add")) return { scale: fill(channels, 1), shift: values };
  if (isOp(node, "Sub")) {
    return a === x
      ? { scale: fill(channels, 1), shift: values.map((v) => -v) }
      : { scale: fill(channels, -1), shift: values };
  }
  if (a !== x) return "the layer's result is the divisor";
  const scale = values.map((v) => 1 / v);
  return scale.every(Number.isFinite) ? { scale, shift: fill(channels, 0) } : "it divides by zero";
}

async function batchNormAffine(node: Node, channels: number): Promise<Affine | string> {
  if ((node.int("training_mode") ?? 0) !== 0) return "it is in training mode";
  if (node.outputs.slice(1).some((out) => out && (out.uses.length > 0 || out.isGraphOutput)))
    return "its statistics are read";
  const parts: Float32Array[] = [];
  for (const value of node.inputs.slice(1)) {
    const tensor = value?.isGraphInput ? undefined : value?.constant;
    if (tensor?.dataType !== DataType.FLOAT || tensor.size !== channels) return "its parameters are no f32 constants";
    parts.push(await tensor.floats());
  }
  const [gamma, beta, mean, variance] = parts;
  if (!gamma || !beta || !mean || !variance) return "it lacks parameters";
  const epsilon = node.float("epsilon") ?? 1e-5;
  const scale = Float64Array.from(gamma, (g, i) => g / Math.sqrt((variance[i] ?? 0) + epsilon));
  const shift = Float64Array.from(beta, (b, i) => b - (mean[i] ?? 0) * (scale[i] ?? 0));
  if (!scale.every(Number.isFinite)) return "a variance is negative or not a number";
  return { scale, shift };
}

interface Channelwise {
  readonly x: Value;
  readonly y: Value;
  readonly channels: number;
}

/** A constant that varies along the channel axis alone (axis 1, or the last axis of a matrix), spelled out. */
async function perChannel(value: Value, { x, y, channels }: Channelwise): Promise<Float64Array | string> {
  const tensor = value.isGraphInput ? undefined : value.constant;
  if (!tensor) return "its operand is not constant";
  if (tensor.dataType !== DataType.FLOAT) return "its operand is not f32";
  const rank = x.shape?.length;
  if (rank === undefined || y.shape?.length !== rank) return "its operand has a higher rank";
  const dims = [...new Array<number>(rank - tensor.dims.length).fill(1), ...tensor.dims];
  if (!dims.every((dim, axis) => dim === 1 || (axis === 1 && dim === channels)))
    return "its operand varies along other axes than the channels";
  const data = await tensor.floats();
  return Float64Array.from({ length: channels }, (_, i) => data[data.length === 1 ? 0 : i] ?? 0);
}

function fill(length: number, value: number): Float64Array {
  return new Float64Array(length).fill(value);
}

/** Weights whose output channels lie along one axis: `groups` blocks of `axis`, see `scaleWeight`. */
export interface ChannelLayout {
  readonly axis: number;
  /** Output channel of index i along the axis, in the block of group g: g * size + i (ConvTranspose); 1 elsewhere. */
  readonly groups: number;
}

/** The weight with each output channel multiplied by its factor. */
export async function scaleWeight(tensor: Tensor, scale: Float64Array, layout: ChannelLayout): Promise<Tensor> {
  const data = Float32Array.from(await tensor.floats());
  const size = tensor.dims[layout.axis] ?? 1;
  const inner = tensor.dims.slice(layout.axis + 1).reduce((a, b) => a * b, 1);
  const blocks = layout.axis === 0 ? 1 : (tensor.dims[0] ?? 1) / layout.groups;
  for (const [at, w] of data.entries()) {
    const index = Math.floor(at / inner) % size;
    const group = layout.axis === 0 ? 0 : Math.floor(at / (inner * size) / blocks);
    data[at] = w * (scale[group * size + index] ?? 1);
  }
  return Tensor.f32(tensor.dims, data);
}

/** s * b + t, with b = 0 where there is no bias. */
export async function shiftBias(bias: Tensor | undefined, { scale, shift }: Affine): Promise<Tensor> {
  const old = bias ? await bias.floats() : undefined;
  const data = Float32Array.from(shift, (t, i) => (old?.[i] ?? 0) * (scale[i] ?? 1) + t);
  return Tensor.f32([data.length], data);
}
