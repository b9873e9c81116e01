/**
 * Dynamic INT8: weights in integers, each input's range taken anew at every inference. Needs no calibration.
 *
 *   y = x W + b   ->   y = Cast(MatMulInteger(q, Wq)) * (xs * ws) + b,   q, xs, zp = DynamicQuantizeLinear(x)
 *
 * and ConvInteger likewise; ws has one scale an output channel.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Graph, Model, Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { transposedMatrix } from "../../kernels/quantizeWeights.ts";
import { type CalibrationTable, calibrationOf } from "../calibrate/table.ts";
import { upgradeOpset } from "../upgradeOpset.ts";
import { quantizationParameters } from "./activationRange.ts";
import { type Layer, type LeftInFloat, nodeName } from "./layers.ts";
import { type QuantizedWeights, quantizeLayerWeights } from "./layerWeights.ts";
import { layoutOf } from "./layout.ts";
import { predictedWeightSqnrDb, predictSqnrDb } from "./predictSqnr.ts";
import { reasonForFloat } from "./reasonForFloat.ts";
import { takeOver } from "./replaceConstant.ts";

/** DynamicQuantizeLinear came with this operator set. */
const OPSET = 11;
const LIMIT = 127;
/** The runtime's ConvInteger multiplies u8 by u8: signed weights are stored with this offset. */
const OFFSET = 128;

export interface DynamicOptions {
  /** Of what layers read and give: weights then count by what they multiply, and a layer's own error can be foretold. */
  readonly table?: CalibrationTable | undefined;
  /** A layer that would keep less than this by its own quantization stays in float. */
  readonly minSqnrDb: number;
  /** Names of layers that stay in float. */
  readonly spared?: ReadonlySet<string>;
}

export interface DynamicLayer {
  readonly layer: Layer;
  readonly ownSqnrDb: number | undefined;
}

export async function quantizeDynamically(
  model: Model,
  layers: readonly Layer[],
  options: DynamicOptions,
): Promise<{
  layers: readonly DynamicLayer[];
  left: readonly LeftInFloat[];
  upgraded: Readonly<Record<string, number>>;
}> {
  const upgraded = upgradeOpset(model, OPSET);
  const writer = new DynamicWriter(model.graph);
  const done: DynamicLayer[] = [];
  const left: LeftInFloat[] = [];
  for (const layer of layers) {
    const { opType } = layer.node;
    if (opType === "ConvTranspose") {
      left.push({ node: nodeName(layer.node), opType, reason: "there is no integer form of it without calibration" });
      continue;
    }
    const weights = await quantizeLayerWeights(layer, {
      limit: LIMIT,
      input: calibrationOf(options.table, layer.input.name),
    });
    const ownSqnrDb = foretold(layer, weights, options.table) ?? predictedWeightSqnrDb(weights);
    const reason = reasonForFloat(layer.name, ownSqnrDb, options);
    if (reason) {
      left.push({ node: layer.name, opType, reason });
      continue;
    }
    writer.write(layer, weights);
    done.push({ layer, ownSqnrDb });
  }
  return { layers: done, left, upgraded };
}

/** Each run's range lies within that of all images. */
function foretold(layer: Layer, weights: QuantizedWeights, table: CalibrationTable | undefined): number | undefined {
  const seen = calibrationOf(table, layer.input.name);
  if (!seen || !table) return undefined;
  const range = { lo: seen.min, hi: seen.max, bound: Math.max(Math.abs(seen.min), Math.abs(seen.max)) };
  const input = quantizationParameters(range, layoutOf("onnxruntime-x86"));
  return predictSqnrDb([{ layer, weights, input, output: undefined }], table)[0];
}

interface DynamicInput {
  readonly integers: Value;
  readonly scale: Value;
  readonly zeroPoint: Value;
}

class DynamicWriter {
  readonly #inputs = new Map<Value, DynamicInput>();
  #offset: Value | undefined;

  constructor(private readonly graph: Graph) {}

  write(layer: Layer, weights: QuantizedWeights): void {
    const { node, rule } = layer;
    const { graph } = this;
    const input = this.dynamicInput(layer.input, node);
    const convolution = rule.channelAxis === 1;
    const accumulated = convolution ? this.convolve(layer, weights, input) : this.multiply(layer, weights, input);
    const float = this.add("Cast", [accumulated], `${node.output().name}_f32`, node);
    float.producer?.set("to", DataType.FLOAT);
    // [channels, 1, 1] broadcasts over a convolution's positions, [channels] over a product's rows.
    const trailing = convolution ? layer.weight.dims.slice(2).map(() => 1) : [];
    const perChannel = (data: Float32Array) => Tensor.f32([data.length, ...trailing], data);
    const weightScale = graph.addInitializer(`${node.output().name}_ws`, perChannel(weights.scales));
    const scale = this.add("Mul", [input.scale, weightScale], `${node.output().name}_s`, node);
    const scaled = this.add("Mul", [float, scale], `${node.output().name}_scaled`, node);
    const result = weights.bias
      ? this.add("Add", [scaled, graph.addInitializer(`${node.output().name}_b`, perChannel(weights.bias))], "", node)
      : scaled;
    takeOver(node, result);
  }

  private dynamicInput(value: Value, before: Node): DynamicInput {
    const known = this.#inputs.get(value);
    if (known) return known;
    const names = ["q", "s", "z"].map((role) => this.graph.freshName(`${value.name}_${role}`));
    const node = this.graph.addNode(
      { opType: "DynamicQuantizeLinear", name: names[0] ?? "", inputs: [value], outputs: names },
      before,
    );
    const input = { integers: node.output(0), scale: node.output(1), zeroPoint: node.output(2) };
    this.#inputs.set(value, input);
    return input;
  }

  private convolve({ node, weight }: Layer, weights: QuantizedWeights, input: DynamicInput): Value {
    const unsigned = Uint8Array.from(weights.integers, (q) => q + OFFSET);
    const integers = this.graph.addInitializer(
      `${node.output().name}_w`,
      Tensor.of(DataType.UINT8, weight.dims, unsigned),
    );
    this.#offset ??= this.graph.addInitializer(
      "weight_zero_point",
      Tensor.of(DataType.UINT8, [], Uint8Array.of(OFFSET)),
    );
    const inputs = [input.integers, integers, input.zeroPoint, this.#offset];
    const sum = this.add("ConvInteger", inputs, `${node.output().name}_i32`, node);
    for (const [name, attribute] of node.attributes) sum.producer?.attributes.set(name, attribute);
    return sum;
  }

  private multiply({ node, view }: Layer, weights: QuantizedWeights, input: DynamicInput): Value {
    const dims = [view.inputs, view.outputs];
    const columns =
      view.outputAxis === 0 ? transposedMatrix(weights.integers, view.outputs, view.inputs) : weights.integers;
    const integers = this.graph.addInitializer(`${node.output().name}_w`, Tensor.of(DataType.INT8, dims, columns));
    return this.add("MatMulInteger", [input.integers, integers, input.zeroPoint], `${node.output().name}_i32`, node);
  }

  private add(opType: string, inputs: readonly Value[], output: string, before: Node): Value {
    const name = this.graph.freshName(output || `${before.output().name}_sum`);
    return this.graph.addNode({ opType, name, inputs, outputs: [name] }, before).output();
  }
}
