/**
 * The layers of a graph that integers can serve: each compute operator with a constant weight, with the tensors that
 * go in and come out. Calibration observes exactly these tensors, quantization reads exactly their ranges.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Graph, Node, Value } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { opDef } from "../../ops/index.ts";
import type { ComputeRule, QuantizeRule, WeightView } from "../../ops/quantizeRule.ts";

export interface Layer {
  readonly node: Node;
  readonly name: string;
  readonly rule: ComputeRule;
  readonly input: Value;
  readonly weight: Tensor;
  readonly view: WeightView;
  readonly bias: Tensor | undefined;
  /** What the layer gives: behind the Relu or Clip that alone reads the node, where there is one. */
  readonly output: Value;
}

/** A node that is not quantized, and why. */
export interface LeftInFloat {
  readonly node: string;
  readonly opType: string;
  readonly reason: string;
  /** What it would keep if it alone were quantized, dB, where that is the reason. */
  readonly ownSqnrDb?: number | undefined;
}

/** The name a user knows a node by: its own, or that of what it writes. */
export function nodeName(node: Node): string {
  return node.name || (node.outputs.find((out) => out)?.name ?? node.opType);
}

export function quantizeRuleOf(node: Node): QuantizeRule | undefined {
  return opDef(node.domain, node.opType)?.quantize;
}

/** Layers in graph order, and every other node that multiplies or that no rule speaks of. */
export function quantizableLayers(graph: Graph): { layers: readonly Layer[]; left: readonly LeftInFloat[] } {
  const layers: Layer[] = [];
  const left: LeftInFloat[] = [];
  for (const node of graph.nodes) {
    const rule = quantizeRuleOf(node);
    const found = rule === undefined ? "no quantization rule for this operator" : layerOrReason(node, rule);
    if (typeof found === "object") layers.push(found);
    else if (found && node.opType !== "Constant" && givesFloats(node))
      left.push({ node: nodeName(node), opType: node.opType, reason: found });
  }
  return { layers, left };
}

/** Arithmetic on shapes and indices is not what quantization is about. */
function givesFloats(node: Node): boolean {
  return node.outputs.some((out) => out && (out.type === undefined || out.type.elemType === DataType.FLOAT));
}

/** The layer, or why the node is none; undefined where there is nothing to say of it. */
function layerOrReason(node: Node, rule: QuantizeRule): Layer | string | undefined {
  if (rule.kind === "float") return rule.reason;
  if (rule.kind !== "compute") return undefined;
  const weight = node.inputs[rule.weight]?.constant;
  if (!weight) return "both operands are computed: there is no constant weight";
  if (weight.dataType !== DataType.FLOAT) return "the weight is not in 32-bit float";
  const view = rule.weightView(node, weight.dims);
  if (!view) return `a weight of rank ${weight.dims.length}`;
  const biasInput = rule.bias === undefined ? undefined : node.inputs[rule.bias];
  if (biasInput && !biasInput.constant) return "the bias is computed";
  return {
    node,
    name: nodeName(node),
    rule,
    input: node.input(rule.activation),
    weight,
    view,
    bias: biasInput?.constant,
    output: behindClamp(node.output()),
  };
}

/** Behind a Relu or Clip that is the only reader: the quantizer of its output cuts off just as it does. */
export function behindClamp(value: Value): Value {
  const reader = soleReader(value);
  const rule = reader && quantizeRuleOf(reader);
  return reader && rule?.kind === "elementwise" && rule.clamps ? reader.output() : value;
}

export function soleReader(value: Value): Node | undefined {
  return value.uses.length === 1 && !value.isGraphOutput ? value.uses[0]?.node : undefined;
}
