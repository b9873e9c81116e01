/** Writes QuantizeLinear and DequantizeLinear into a graph; equal constants are written once. */
import { DataType } from "../../ir/dataType.ts";
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import type { QuantizationParameters } from "./activationRange.ts";
import type { Layer } from "./layers.ts";
import type { QuantizedWeights } from "./layerWeights.ts";
import { replaceConstant } from "./replaceConstant.ts";

export class QdqWriter {
  readonly #scalars = new Map<string, Value>();

  constructor(private readonly graph: Graph) {}

  /** value -> QuantizeLinear -> DequantizeLinear; returns the last. The nodes stand before `before`. */
  activation(value: Value, { scale, zeroPoint, dataType }: QuantizationParameters, before: Node | undefined): Value {
    const parameters = [this.scalar(DataType.FLOAT, scale), this.scalar(dataType, zeroPoint)];
    const quantized = this.node("QuantizeLinear", [value, ...parameters], `${value.name}_q`, before);
    return this.node("DequantizeLinear", [quantized, ...parameters], `${value.name}_dq`, before);
  }

  /** A DequantizeLinear of a constant with one scale per index of `axis`. */
  constant(integers: Tensor, scales: Tensor, axis: number | undefined, at: { name: string; before: Node }): Value {
    const { graph } = this;
    const inputs = [graph.addInitializer(`${at.name}_q`, integers), graph.addInitializer(`${at.name}_s`, scales)];
    const value = this.node("DequantizeLinear", inputs, `${at.name}_dq`, at.before);
    if (axis !== undefined) value.producer?.set("axis", axis);
    return value;
  }

  /** A layer's weight as int8 behind a DequantizeLinear; the float one goes. */
  weight({ node, rule, weight }: Layer, { integers, scales, axis }: QuantizedWeights): void {
    const { name } = node.input(rule.weight);
    const scale = Tensor.f32(axis === undefined ? [] : [scales.length], scales);
    const stored = Tensor.of(DataType.INT8, weight.dims, integers);
    replaceConstant(node, rule.weight, this.constant(stored, scale, axis, { name, before: node }));
  }

  /** A corrected bias, in float. */
  floatBias({ node, rule }: Layer, bias: Float32Array): void {
    if (rule.bias === undefined) return;
    const name = node.inputs[rule.bias]?.name ?? `${node.input(rule.weight).name}_bias`;
    replaceConstant(node, rule.bias, this.graph.addInitializer(name, Tensor.f32([bias.length], bias)));
  }

  reshape(value: Value, dims: readonly number[], at: { name: string; before: Node }): Value {
    const shape = this.graph.addInitializer(`${at.name}_shape`, Tensor.i64([dims.length], dims));
    return this.node("Reshape", [value, shape], `${at.name}_shaped`, at.before);
  }

  private node(opType: string, inputs: readonly Value[], output: string, before: Node | undefined): Value {
    const name = this.graph.freshName(output);
    return this.graph.addNode({ opType, name, inputs, outputs: [name] }, before).output();
  }

  private scalar(dataType: number, x: number): Value {
    const key = `${dataType} ${x}`;
    let value = this.#scalars.get(key);
    if (!value) {
      value = this.graph.addInitializer(
        dataType === DataType.FLOAT ? "scale" : "zero_point",
        scalarTensor(dataType, x),
      );
      this.#scalars.set(key, value);
    }
    return value;
  }
}

function scalarTensor(dataType: number, x: number): Tensor {
  if (dataType === DataType.FLOAT) return Tensor.f32([], [x]);
  return Tensor.of(dataType, [], dataType === DataType.INT8 ? Int8Array.of(x) : Uint8Array.of(x));
}
