/**
 * Conv(s * x + t) -> Conv(x), s and t constant per input channel (BatchNormalization, Mul, Div, Add, Sub, as in
 * `affine.ts`):  W (s x + t) + b = (W s) x + (b + sum W t).
 * With padding only where t = 0: the zeros around x would have become t.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { type Affine, affineOf } from "./affine.ts";
import { forEachNode, isOp, onlyReader, type Rule, writerOf } from "./rule.ts";

function variable(node: Node): Value | undefined {
  return isOp(node, "BatchNormalization")
    ? node.input(0)
    : (node.inputs.find((value) => value && !value.constant) ?? undefined);
}

function pads(conv: Node): boolean {
  const auto = conv.string("auto_pad") ?? "NOTSET";
  return auto.startsWith("SAME") || (conv.ints("pads") ?? []).some((pad) => pad !== 0);
}

/** Why the Conv cannot take the function in; undefined where it can. */
function refusal(conv: Node, before: Node): string | undefined {
  const bias = conv.inputs[2];
  if (onlyReader(before.output()) !== conv) return "the value is read elsewhere too";
  if (conv.input(1).isGraphInput || conv.input(1).constant?.dataType !== DataType.FLOAT)
    return "the weight is no f32 constant";
  if (bias && (bias.isGraphInput || bias.constant?.dataType !== DataType.FLOAT)) return "the bias is no f32 constant";
  return undefined;
}

/** One channel times a constant of three is three: the Conv would lack the other two. */
function widened(x: Value, channels: number): string | undefined {
  return x.shape?.[1] === channels ? undefined : "the constant widens the value to the channels of the Conv";
}

/** The weight with each input channel scaled, and what the shifts add to each output channel. */
async function taken(weight: Tensor, { scale, shift }: Affine, group: number) {
  const [m = 0, perGroup = 0] = weight.dims;
  const taps = weight.size / (m * perGroup || 1);
  const data = Float32Array.from(await weight.floats());
  const added = new Float64Array(m);
  for (const [at, w] of data.entries()) {
    const out = Math.floor(at / (taps * perGroup));
    const channel = Math.floor(out / (m / group)) * perGroup + (Math.floor(at / taps) % perGroup);
    data[at] = w * (scale[channel] ?? 1);
    added[out] = (added[out] ?? 0) + w * (shift[channel] ?? 0);
  }
  return { weight: Tensor.f32(weight.dims, data), added };
}

export const fuseAffineBeforeConv: Rule = {
  name: "fuse-affine-before-conv",
  apply({ graph, note }) {
    return forEachNode(graph, async (conv) => {
      const before = isOp(conv, "Conv")
        ? writerOf(conv.inputs[0], "BatchNormalization", "Mul", "Div", "Add", "Sub")
        : undefined;
      const x = before && variable(before);
      const weight = before && conv.input(1).constant;
      if (!before || !x || !weight) return false;
      const group = conv.int("group") ?? 1;
      const channels = (weight.dims[1] ?? 0) * group;
      const affine = refusal(conv, before) ?? widened(x, channels) ?? (await affineOf(before, x, channels));
      const shifts = typeof affine !== "string" && affine.shift.some((t) => t !== 0);
      if (typeof affine === "string" || (shifts && pads(conv))) {
        note(before, typeof affine === "string" ? affine : "the Conv behind it pads, and the padding would be shifted");
        return false;
      }
      const { weight: scaled, added } = await taken(weight, affine, group);
      const { name } = conv.input(1);
      const bias = await conv.inputs[2]?.constant?.floats();
      conv.setInput(0, x);
      conv.setInput(1, graph.addInitializer(name, scaled));
      if (shifts || bias) {
        const values = Float32Array.from(added, (t, i) => t + (bias?.[i] ?? 0));
        conv.setInput(2, graph.addInitializer(`${name}_bias`, Tensor.f32([values.length], values)));
      }
      graph.removeNode(before);
      return true;
    });
  },
};
