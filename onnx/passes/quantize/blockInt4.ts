/**
 * INT4 weights in blocks, one scale a block of weights that are summed together; activations stay in float.
 *
 *   onnxruntime-x86, MatMul   -> MatMulNBits, which multiplies from the packed form
 *   else                      -> DequantizeLinear with block_size (opset 21) before the layer; a convolution's kernel is
 *                                stored as the matrix [outputs, inputs * taps] and shaped back behind it
 *
 * A layer whose outputs sum fewer weights than a block (depthwise convolutions, a first layer) would spend more on
 * scales than it saves: its weights take 8 bits, one scale an output channel.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Model } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { spreadOverWeights } from "../../kernels/layerError.ts";
import {
  type BlockQuantized,
  blockError,
  lostPerRow,
  packNibbles,
  packOffsetNibbles,
  quantizeBlocks,
  rowsOf,
  transposedMatrix,
} from "../../kernels/quantizeWeights.ts";
import { type CalibrationTable, calibrationOf, type TensorCalibration } from "../calibrate/table.ts";
import { upgradeOpset } from "../upgradeOpset.ts";
import { type Layer, nodeName } from "./layers.ts";
import { corrected, inputMoments, quantizeLayerWeights } from "./layerWeights.ts";
import type { LayoutName } from "./layout.ts";
import { QdqWriter } from "./qdqWriter.ts";
import { replaceConstant, takeOver } from "./replaceConstant.ts";

/** Blocks and 4-bit types in DequantizeLinear came with this operator set. */
const OPSET = 21;
const LIMIT = 7;
const BYTE_LIMIT = 127;
/** Shorter blocks cost more in scales than the finer steps are worth. */
const SHORTEST_BLOCK = 16;

export interface BlockLayer {
  readonly layer: Layer;
  readonly bits: 4 | 8;
  readonly block?: number;
  /** Signal over noise of the weights themselves, dB. */
  readonly weightSqnrDb: number | undefined;
}

/** How the 4-bit weight is stored; undefined where 8 bits serve better. */
type Form = { readonly kind: "packed" | "rows" | "columns"; readonly block: number };

export async function quantizeBlockwise(
  model: Model,
  layers: readonly Layer[],
  options: { readonly layout: LayoutName; readonly blockSize: number; readonly table?: CalibrationTable | undefined },
): Promise<{ layers: readonly BlockLayer[]; upgraded: Readonly<Record<string, number>> }> {
  const forms = layers.map((layer) => formOf(layer, options));
  const upgraded = forms.every((form) => form?.kind === "packed") ? {} : upgradeOpset(model, OPSET);
  if (forms.some((form) => form?.kind === "packed")) model.opsetImports.set("com.microsoft", 1);
  const writer = new QdqWriter(model.graph);
  const done: BlockLayer[] = [];
  for (const [i, layer] of layers.entries()) {
    const form = forms[i];
    const input = calibrationOf(options.table, layer.input.name);
    done.push(form ? await writeNibbles(layer, form, { writer, input }) : await writeBytes(layer, { writer, input }));
  }
  return { layers: done, upgraded };
}

function formOf(layer: Layer, { layout, blockSize }: { layout: LayoutName; blockSize: number }): Form | undefined {
  const { node, view, weight } = layer;
  const columns = columnsOf(layer);
  if (columns < blockSize) return undefined;
  if (layout === "onnxruntime-x86" && node.opType === "MatMul") return { kind: "packed", block: blockSize };
  const block = fittingBlock(columns, blockSize);
  if (block === undefined) return undefined;
  if (view.outputAxis === 0) return { kind: "rows", block };
  return weight.dims.length === 2 && view.outputAxis === 1 ? { kind: "columns", block } : undefined;
}

/** Weights that one output sums. */
function columnsOf({ view }: Layer): number {
  return view.inputs * view.taps;
}

/** The longest block up to `most` that divides the row: runtimes want whole blocks. */
function fittingBlock(columns: number, most: number): number | undefined {
  for (let block = most; block >= SHORTEST_BLOCK; block--) if (columns % block === 0) return block;
  return undefined;
}

interface Tools {
  readonly writer: QdqWriter;
  /** Of the layer's input: weights then count by what they multiply, and the bias takes back what rounding shifts. */
  readonly input: TensorCalibration | undefined;
}

async function writeBytes(layer: Layer, { writer, input }: Tools): Promise<BlockLayer> {
  const weights = await quantizeLayerWeights(layer, { limit: BYTE_LIMIT, input });
  writer.weight(layer, weights);
  if (input && weights.bias) writer.floatBias(layer, weights.bias);
  return { layer, bits: 8, weightSqnrDb: sqnrDb(sum(weights.gain), sum(weights.noise)) };
}

/** Integers [rows, columns], scales [rows, perRow]. */
interface BlockWeights extends BlockQuantized {
  readonly rows: number;
}

async function writeNibbles(layer: Layer, { kind, block }: Form, { writer, input }: Tools): Promise<BlockLayer> {
  const { view } = layer;
  const columns = columnsOf(layer);
  const matrix = rowsOf(await layer.weight.floats(), view);
  const moments = inputMoments(layer, input);
  const perWeight = (values: readonly number[]) => rowsOf(spreadOverWeights(view, values, matrix.length), view);
  const importance = moments && perWeight(moments.second);
  const quantized = quantizeBlocks(matrix, { columns, block, limit: LIMIT }, importance);
  const perRow = Math.ceil(columns / block);
  const weights = { ...quantized, rows: matrix.length / columns, columns, perRow, block };
  if (kind === "packed") writePacked(layer, weights);
  else writeDequantized(layer, weights, { kind, writer });
  if (moments && layer.rule.bias !== undefined) {
    const shift = lostPerRow(matrix, weights, perWeight(moments.mean));
    writer.floatBias(layer, corrected(await layer.bias?.floats(), shift));
  }
  const { signal, noise } = blockError(matrix, weights);
  return { layer, bits: 4, block, weightSqnrDb: sqnrDb(signal, noise) };
}

function writeDequantized(
  layer: Layer,
  weights: BlockWeights,
  { kind, writer }: { kind: "rows" | "columns"; writer: QdqWriter },
): void {
  const { node, rule, weight } = layer;
  const { rows, columns, perRow, block } = weights;
  const at = { name: node.input(rule.weight).name, before: node };
  const isRows = kind === "rows";
  const integers = packNibbles(isRows ? weights.integers : transposedMatrix(weights.integers, rows, columns));
  const scales = isRows ? weights.scales : transposedMatrix(weights.scales, rows, perRow);
  const matrix = writer.constant(
    Tensor.of(DataType.INT4, isRows ? [rows, columns] : [columns, rows], integers),
    Tensor.f32(isRows ? [rows, perRow] : [perRow, rows], scales),
    isRows ? 1 : 0,
    at,
  );
  matrix.producer?.set("block_size", block);
  replaceConstant(node, rule.weight, weight.dims.length === 2 ? matrix : writer.reshape(matrix, weight.dims, at));
}

function writePacked(layer: Layer, { integers, scales, rows, columns, perRow, block }: BlockWeights): void {
  const { node } = layer;
  const { graph } = node;
  const { name } = node.input(layer.rule.weight);
  const data = packOffsetNibbles(integers, columns, block);
  const packed = graph.addInitializer(`${name}_q`, Tensor.of(DataType.UINT8, [rows, perRow, block / 2], data));
  const scale = graph.addInitializer(`${name}_s`, Tensor.f32([scales.length], scales));
  const result = graph.addNode(
    {
      opType: "MatMulNBits",
      domain: "com.microsoft",
      name: nodeName(node),
      inputs: [layer.input, packed, scale],
      outputs: [graph.freshName(`${node.output().name}_n`)],
      attributes: { K: columns, N: rows, bits: 4, block_size: block },
    },
    node,
  );
  takeOver(node, result.output());
}

function sqnrDb(signal: number, noise: number): number | undefined {
  return noise === 0 ? undefined : 10 * Math.log10(signal / noise);
}

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}
