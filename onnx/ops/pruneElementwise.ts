/** Channel couplings of operators that treat every element, or every channel, by itself. */
import type { Value } from "../ir/graph.ts";
import type { Coupler, PruneRule } from "./pruneRule.ts";

/** Aligns `from` with `to` from the right (ONNX, Broadcasting.md): equal axes are one, an axis of 1 is stretched. */
export function joinBroadcast(coupler: Coupler, from: Value, to: Value): void {
  const [a, b] = [coupler.shape(from), coupler.shape(to)];
  if (!a || !b || a.length > b.length) {
    coupler.pinAll(from, "meets a value of unknown rank");
    coupler.pinAll(to, "meets a value of unknown rank");
    return;
  }
  const shift = b.length - a.length;
  for (const [axis, dim] of a.entries()) {
    if (dim === 1 && b[axis + shift] !== 1) continue;
    coupler.join({ value: from, axis }, { value: to, axis: axis + shift });
  }
}

/** Joins the axes of two values of one shape, but for those in `except`. */
export function joinSame(coupler: Coupler, a: Value, b: Value, except: readonly number[] = []): void {
  const shape = coupler.shape(a);
  if (!shape || coupler.shape(b)?.length !== shape.length) {
    coupler.pinAll(a, "meets a value of unknown rank");
    coupler.pinAll(b, "meets a value of unknown rank");
    return;
  }
  for (const axis of shape.keys()) if (!except.includes(axis)) coupler.join({ value: a, axis }, { value: b, axis });
}

/** Unary and broadcasting operators, Where, Clip, PRelu, Dropout: scalars have no axis, so they couple nothing. */
export const pointwisePrune: PruneRule = {
  couple(node, coupler) {
    for (const out of node.outputs) {
      if (!out) continue;
      for (const value of node.inputs) if (value) joinBroadcast(coupler, value, out);
    }
  },
};

/** BatchNormalization and InstanceNormalization: each channel of axis 1 has its own scale, bias, mean and variance. */
export const channelNormPrune: PruneRule = {
  couple(node, coupler) {
    const [x, y] = [node.input(0), node.output()];
    joinSame(coupler, x, y);
    const perChannel = [...node.inputs.slice(1), ...node.outputs.slice(1)];
    for (const value of perChannel) if (value) coupler.join({ value, axis: 0 }, { value: x, axis: 1 });
  },
};

/**
 * LayerNormalization and RMSNormalization mix all elements from `axis` on (the last by default); Softmax and its kin do so
 * before opset 13 (from the second by default), and mix one axis (the last by default) since.
 */
export const mixingPrune: PruneRule = {
  couple(node, coupler) {
    const [x, y] = [node.input(0), node.output()];
    const rank = coupler.shape(x)?.length ?? 0;
    const normalizes = node.opType.endsWith("Normalization");
    const mixesOne = !normalizes && coupler.opset >= SINGLE_AXIS_SOFTMAX;
    const given = node.int("axis") ?? (normalizes || mixesOne ? -1 : Math.min(1, rank - 1));
    const axis = given < 0 ? given + rank : given;
    joinSame(coupler, x, y);
    const why = `${node.opType} mixes them`;
    for (let i = axis; i < (mixesOne ? axis + 1 : rank); i++) coupler.pin({ value: x, axis: i }, why);
    for (const value of [...node.inputs.slice(1), ...node.outputs.slice(1)]) coupler.pinAll(value, why);
  },
};

const SINGLE_AXIS_SOFTMAX = 13;

/** Pooling, global or with a window: channels stay apart; positions do not. */
export const poolPrune: PruneRule = {
  couple(node, coupler) {
    const [x, y] = [node.input(0), node.output()];
    for (const axis of [0, 1]) coupler.join({ value: x, axis }, { value: y, axis });
    for (const value of [x, y]) pinSpatial(coupler, value, `${node.opType} slides over them`);
    for (const value of node.outputs.slice(1)) {
      coupler.pinAll(value, "MaxPool counts its indices over all channels");
      if (value && (value.uses.length > 0 || value.isGraphOutput))
        coupler.pinAll(x, "MaxPool counts its indices over all channels");
    }
  },
};

/** The axes behind batch and channel. */
export function pinSpatial(coupler: Coupler, value: Value, why: string): void {
  const rank = coupler.shape(value)?.length ?? 0;
  for (let axis = 2; axis < rank; axis++) coupler.pin({ value, axis }, why);
}

/** QuantizeLinear and DequantizeLinear: scale and zero point are scalars, or one each along `axis`. */
export const quantizePrune: PruneRule = {
  couple(node, coupler) {
    const [x, y] = [node.input(0), node.output()];
    joinSame(coupler, x, y);
    const rank = coupler.shape(x)?.length ?? 0;
    const given = node.int("axis") ?? 1;
    const axis = given < 0 ? given + rank : given;
    for (const value of node.inputs.slice(1)) {
      if (!value) continue;
      const shape = coupler.shape(value);
      if (shape?.length === 0) continue;
      if (shape?.length === 1) {
        if (shape[0] !== 1) coupler.join({ value, axis: 0 }, { value: x, axis });
        continue;
      }
      coupler.pinAll(value, "is quantized in blocks");
      coupler.pinAll(x, "is quantized in blocks");
    }
  },
};
