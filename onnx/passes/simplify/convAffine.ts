/**
 * BatchNormalization(Conv(x)) -> Conv(x), likewise for Mul, Div, Add and Sub of a constant per channel, and for
 * ConvTranspose and Gemm. The algebra is in `affine.ts`. The layer's result must have no other reader.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Node } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { affineOf, type ChannelLayout, scaleWeight, shiftBias } from "./affine.ts";
import { bypass, forEachNode, isOp, onlyReader, type Rule, writerOf } from "./rule.ts";

interface Layer {
  readonly node: Node;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly channels: number;
  readonly layout: ChannelLayout;
}

/** A linear layer with constant f32 weights; a string says why it cannot take anything in. */
function linearLayer(node: Node): Layer | string {
  const weight = node.input(1).isGraphInput ? undefined : node.input(1).constant;
  const biasValue = node.inputs[2];
  const bias = biasValue?.isGraphInput ? undefined : biasValue?.constant;
  if (!weight) return "the weight is not constant";
  if (weight.dataType !== DataType.FLOAT) return "the weight is not f32";
  if (biasValue && bias?.dataType !== DataType.FLOAT) return "the bias is no f32 constant";
  const layout = layoutOf(node);
  const channels = (weight.dims[layout.axis] ?? 0) * layout.groups;
  if (isOp(node, "Gemm")) {
    if ((node.float("alpha") ?? 1) !== 1 || (node.float("beta") ?? 1) !== 1) return "alpha or beta is not 1";
    if (bias && bias.size !== channels) return "the bias varies over rows";
  }
  return { node, weight, bias, channels, layout };
}

function layoutOf(node: Node): ChannelLayout {
  if (isOp(node, "ConvTranspose")) return { axis: 1, groups: node.int("group") ?? 1 };
  if (isOp(node, "Gemm")) return { axis: node.int("transB") === 1 ? 0 : 1, groups: 1 };
  return { axis: 0, groups: 1 };
}

export const fuseAffine: Rule = {
  name: "fuse-affine-into-layer",
  apply({ graph, note }) {
    return forEachNode(graph, async (node) => {
      if (!isOp(node, "BatchNormalization", "Mul", "Div", "Add", "Sub")) return false;
      const source = node.inputs.find((value) => writerOf(value, "Conv", "ConvTranspose", "Gemm"));
      if (!source?.producer) return false;
      const layer = linearLayer(source.producer);
      if (typeof layer === "string") return refuse(note, node, layer);
      if (onlyReader(source) !== node) return refuse(note, node, "the layer's result is read elsewhere too");
      const affine = await affineOf(node, source, layer.channels);
      if (typeof affine === "string") return refuse(note, node, affine);
      const target = layer.node;
      const name = target.input(1).name;
      target.setInput(1, graph.addInitializer(name, await scaleWeight(layer.weight, affine.scale, layer.layout)));
      target.setInput(2, graph.addInitializer(`${name}_bias`, await shiftBias(layer.bias, affine)));
      return bypass(node, source);
    });
  },
};

function refuse(note: (node: Node, reason: string) => void, node: Node, reason: string): false {
  note(node, reason);
  return false;
}
