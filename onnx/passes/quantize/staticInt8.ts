/**
 * Static INT8 as QDQ: calibrated ranges for the activations, one scale an output channel for the weights.
 * The float graph is changed in place; nothing is computed on images here.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Graph, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { type CalibrationTable, type ClipRange, calibrationOf } from "../calibrate/table.ts";
import { type QuantizationParameters, quantizationParameters, unionOf } from "./activationRange.ts";
import { carriedInputs } from "./carried.ts";
import type { Layer } from "./layers.ts";
import { type QuantizedWeights, quantizeLayerWeights } from "./layerWeights.ts";
import type { Layout } from "./layout.ts";
import type { Placement } from "./placement.ts";
import { planQuantization, type QuantizationPlan } from "./plan.ts";
import { type LayerDesign, predictSqnrDb } from "./predictSqnr.ts";
import { QdqWriter } from "./qdqWriter.ts";
import { QuantizeError } from "./quantizeError.ts";
import { replaceConstant } from "./replaceConstant.ts";
import type { RoundedInput } from "./roundedInputs.ts";

export interface QuantizedLayer extends LayerDesign {
  readonly predictedSqnrDb: number | undefined;
}

export interface StaticQuantization {
  readonly plan: QuantizationPlan;
  readonly parameters: ReadonlyMap<Value, QuantizationParameters>;
  readonly layers: readonly QuantizedLayer[];
}

/** Largest integer of a weight. */
export const WEIGHT_LIMIT = 127;

export interface StaticOptions {
  readonly table: CalibrationTable;
  readonly layout: Layout;
  /** Of operators that only move elements: those it puts in float move no integers. */
  readonly placement?: Placement | undefined;
  /** What layers read once their inputs are rounded, by their names; with it biases take back that shift. */
  readonly seen?: ReadonlyMap<string, RoundedInput> | undefined;
  /** Whether weights are rounded by it too. */
  readonly byHessian?: boolean | undefined;
}

/** Everything but the writing: scales, integers, corrected biases, and the error each layer is predicted to make. */
export async function designInt8(
  graph: Graph,
  layers: readonly Layer[],
  { table, layout, placement, seen, byHessian }: StaticOptions,
): Promise<StaticQuantization> {
  const rules = { layout, placement, rangeOf: (value: Value) => rangeOf(table, value) };
  const plan = planQuantization(graph, layers, rules);
  const parameters = new Map<Value, QuantizationParameters>();
  for (const [value, { range }] of plan.tensors) parameters.set(value, quantizationParameters(range, layout));
  const designs: LayerDesign[] = [];
  for (const layer of layers) {
    const input = parameters.get(layer.input);
    if (!input) throw new Error(`${layer.name} reads a tensor that was not planned`);
    const weights = await quantizeLayerWeights(layer, {
      limit: WEIGHT_LIMIT,
      input: calibrationOf(table, layer.input.name),
      seen: seen?.get(layer.name),
      byHessian,
      ...(layout.integerBias && { inputScale: input.scale }),
    });
    const output = layout.quantizeOutputs ? parameters.get(layer.output) : undefined;
    designs.push({ layer, weights, input, output });
  }
  const predicted = predictSqnrDb(designs, table);
  return { plan, parameters, layers: designs.map((design, i) => ({ ...design, predictedSqnrDb: predicted[i] })) };
}

/** The range of a tensor; of one that only moves elements about, that of what it moves. */
function rangeOf(table: CalibrationTable, value: Value): ClipRange {
  const found = calibrationOf(table, value.name);
  if (found) return found;
  const moved = value.producer ? carriedInputs(value.producer) : [];
  if (moved.length > 0) return unionOf(moved.map((input) => rangeOf(table, input)));
  throw new QuantizeError(
    "calibration-mismatch",
    `the calibration does not know the tensor "${value.name}"`,
    "Wire the same model into calibrate and into quantize, and run calibrate again.",
  );
}

/** Writes the design into the graph it was made for. */
export function writeInt8(graph: Graph, { plan, parameters, layers }: StaticQuantization, layout: Layout): void {
  const writer = new QdqWriter(graph);
  const reading = new Set(layers.map(({ layer }) => layer.node));
  for (const [value, { born }] of plan.tensors) {
    const params = parameters.get(value);
    if (!params) continue;
    const readers = value.uses.filter(({ node }) => born || reading.has(node) || plan.carriers.has(node));
    const dequantized = writer.activation(value, params, value.uses[0]?.node);
    for (const { node, index } of readers) node.setInput(index, dequantized);
    if (born && value.isGraphOutput) handOverOutput(value, dequantized);
  }
  for (const design of layers) writeLayer(writer, design, layout);
  graph.sortTopologically();
}

/** The dequantized tensor becomes the graph's output, under the name the output had. */
function handOverOutput(value: Value, by: Value): void {
  const { graph, name } = value;
  graph.setOutput(graph.outputs.indexOf(value), by);
  graph.rename(value, graph.freshName(`${name}_float`));
  graph.rename(by, name);
  by.type = value.type;
  by.origin = value.origin;
}

function writeLayer(writer: QdqWriter, { layer, weights, input }: QuantizedLayer, layout: Layout): void {
  const { node, rule } = layer;
  const { name } = node.input(rule.weight);
  writer.weight(layer, weights);
  if (!weights.bias || rule.bias === undefined) return;
  if (!layout.integerBias) {
    writer.floatBias(layer, weights.bias);
    return;
  }
  const biasName = node.inputs[rule.bias]?.name ?? `${name}_bias`;
  const at = { layer, bias: weights.bias, weights, inputScale: input.scale, name: biasName };
  replaceConstant(node, rule.bias, integerBias(writer, at));
}

function integerBias(
  writer: QdqWriter,
  at: { layer: Layer; bias: Float32Array; weights: QuantizedWeights; inputScale: number; name: string },
): Value {
  const { layer, bias, weights, inputScale, name } = at;
  const scales = Float32Array.from(weights.scales, (scale) => scale * inputScale);
  const integers = Int32Array.from(bias, (b, c) => Math.round(b / (scales[c % scales.length] ?? 1)));
  const perChannel = weights.axis !== undefined;
  return writer.constant(
    Tensor.of(DataType.INT32, [bias.length], integers),
    Tensor.f32(perChannel ? [scales.length] : [], scales),
    perChannel ? 0 : undefined,
    { name, before: layer.node },
  );
}
