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
import { roundByHessian } from "../../kernels/gptq.ts";
import { movedByOffsets, withOffsets, zeroPointBlocks } from "../../kernels/halfQuadratic.ts";
import { spreadOverWeights } from "../../kernels/layerError.ts";
import {
  type BlockQuantized,
  blockError,
  lostPerRow,
  noisePerRow,
  packNibbles,
  quantizeBlocks,
  rowsOf,
  transposedMatrix,
} from "../../kernels/quantizeWeights.ts";
import { type CalibrationTable, calibrationOf } from "../calibrate/table.ts";
import { upgradeOpset } from "../upgradeOpset.ts";
import { finiteFloats } from "./finiteFloats.ts";
import { layerGrams } from "./layerGrams.ts";
import type { LayerInputs } from "./layerInputs.ts";
import type { Layer } from "./layers.ts";
import { corrected, inputMoments, quantizeLayerWeights } from "./layerWeights.ts";
import type { LayoutName } from "./layout.ts";
import { writeByteProduct, writeNibbleProduct, writeStreamedProduct } from "./packedProduct.ts";
import { ownWeightSqnrDb, predictedWeightSqnrDb } from "./predictSqnr.ts";
import { QdqWriter } from "./qdqWriter.ts";
import { replaceConstant } from "./replaceConstant.ts";
import { type StreamedNibbles, streamedDown, streamedRows } from "./streamedNibbles.ts";

/** Blocks and 4-bit types in DequantizeLinear came with this operator set. */
const OPSET = 21;
const LIMIT = 7;
const BYTE_LIMIT = 127;
/** Ten times GPTQ's own: texts to calibrate by are short, and a matrix of few rows says too much of too little. */
const DAMPING = 0.1;
/** Shorter blocks cost more in scales than the finer steps are worth. */
const SHORTEST_BLOCK = 16;

/** Of weights that are rounded as they are written. */
const STREAMED_NOTE = "rounded as it was written, to the nearest: its error was not measured";

export interface BlockLayer {
  readonly layer: Layer;
  readonly bits: 4 | 8;
  readonly block?: number;
  /** What rounding its weights alone costs the layer, dB: of its output where that was calibrated, else of the weights. */
  readonly ownSqnrDb: number | undefined;
  /** Why it has 8 bits where it could have 4. */
  readonly note?: string;
}

export interface BlockOptions {
  readonly layout: LayoutName;
  readonly blockSize: number;
  readonly table?: CalibrationTable | undefined;
  readonly inputs?: LayerInputs | undefined;
  /** A layer that would keep less than this at 4 bits takes 8. */
  readonly minSqnrDb: number;
  /** Names of layers that take 8 bits. */
  readonly spared?: ReadonlySet<string>;
  /** Bytes of weights from which on they are rounded as they are written, where there is nothing to choose by. */
  readonly streamFrom?: number;
}

/** As much as is held in memory for good. */
const STREAM_FROM = 2 ** 28;

/** Without frames a large model passes through: each weight is read, rounded and written by itself. */
export function isStreamed(layers: readonly Layer[], options: BlockOptions): boolean {
  const bytes = layers.reduce((sum, { weight }) => sum + weight.byteLength, 0);
  return !options.inputs && !options.table && bytes >= (options.streamFrom ?? STREAM_FROM);
}

/** How the 4-bit weight is stored; undefined where 8 bits serve better. */
type Form = { readonly kind: "packed" | "rows" | "columns"; readonly block: number };

export async function quantizeBlockwise(
  model: Model,
  layers: readonly Layer[],
  options: BlockOptions,
): Promise<{ layers: readonly BlockLayer[]; upgraded: Readonly<Record<string, number>> }> {
  const forms = layers.map((layer) => formOf(layer, options));
  const upgraded = forms.every((form) => form?.kind === "packed") ? {} : upgradeOpset(model, OPSET);
  if (forms.some((form) => form?.kind === "packed")) model.opsetImports.set("com.microsoft", 1);
  const tools = { writer: new QdqWriter(model.graph), streams: isStreamed(layers, options), options };
  const formed = new Map(layers.map((layer, i) => [layer, forms[i]]));
  const designs = options.inputs && (await designsByInputs(formed, options.inputs, options));
  const done: BlockLayer[] = [];
  for (const [layer, form] of formed)
    done.push(await writeLayer(layer, form, { ...tools, design: designs?.get(layer.name) }));
  return { layers: done, upgraded };
}

/** What was rounded by these inputs before, by layer: each try of a search takes the same. */
const rounded = new WeakMap<LayerInputs, Map<string, NibbleDesign>>();

async function designsByInputs(
  formed: ReadonlyMap<Layer, Form | undefined>,
  inputs: LayerInputs,
  options: BlockOptions,
): Promise<ReadonlyMap<string, NibbleDesign>> {
  const designs = rounded.get(inputs) ?? new Map<string, NibbleDesign>();
  rounded.set(inputs, designs);
  const missing = [...formed].flatMap(([layer, form]) => (form && !designs.has(layer.name) ? [layer] : []));
  for await (const { layer, gram } of layerGrams(missing, inputs)) {
    const form = formed.get(layer);
    if (form) designs.set(layer.name, await designNibbles(layer, form, { gram, options }));
  }
  return designs;
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
  /** Where it was made beforehand. */
  readonly design: NibbleDesign | undefined;
  /** Whether weights are rounded only as they are written. */
  readonly streams: boolean;
  readonly options: BlockOptions;
}

async function writeLayer(layer: Layer, form: Form | undefined, tools: Tools): Promise<BlockLayer> {
  const { minSqnrDb, spared } = tools.options;
  if (!form) return writeBytes(layer, tools);
  if (tools.streams && (form.kind === "packed" || isStreamable(layer, form))) {
    if (form.kind === "packed") writeStreamedProduct(layer, form.block);
    else writeStreamedDequantized(layer, { kind: form.kind, block: form.block, ...tools });
    return { layer, bits: 4, block: form.block, ownSqnrDb: undefined, note: STREAMED_NOTE };
  }
  const design = tools.design ?? (await designNibbles(layer, form, tools));
  const { ownSqnrDb = Number.POSITIVE_INFINITY } = design;
  const note = `at 4 bits it would keep ${ownSqnrDb.toFixed(1)} dB`;
  const finer = async (): Promise<BlockLayer> =>
    form.kind === "packed"
      ? { layer, bits: 8, block: form.block, ownSqnrDb: await writeByteProduct(layer, form.block) }
      : writeBytes(layer, tools);
  if (minSqnrDb > 0 && ownSqnrDb < minSqnrDb) return { ...(await finer()), note: `${note}, below ${minSqnrDb} dB` };
  if (spared?.has(layer.name)) return { ...(await finer()), note: `${note}; the outputs need it truer` };
  writeNibbles(layer, design, tools.writer);
  return { layer, bits: 4, block: form.block, ownSqnrDb: design.ownSqnrDb };
}

async function writeBytes(layer: Layer, { writer, options }: Tools): Promise<BlockLayer> {
  const input = calibrationOf(options.table, layer.input.name);
  const weights = await quantizeLayerWeights(layer, { limit: BYTE_LIMIT, input });
  writer.weight(layer, weights);
  if (input && weights.bias) writer.floatBias(layer, weights.bias);
  const own = input && options.table && ownWeightSqnrDb(layer, weights.noise, options.table);
  return { layer, bits: 8, ownSqnrDb: own ?? predictedWeightSqnrDb(weights) };
}

/** Integers [rows, columns], scales and offsets [rows, perRow]. */
interface BlockWeights extends BlockQuantized {
  readonly rows: number;
  /** Of blocks whose integers lie around a zero point of their own, see halfQuadratic.ts. */
  readonly offsets?: Int8Array | undefined;
}

interface NibbleDesign {
  readonly form: Form;
  readonly weights: BlockWeights;
  /** With what rounding shifts taken back; absent where there is none to take it. */
  readonly bias: Float32Array | undefined;
  readonly ownSqnrDb: number | undefined;
}

interface RoundingBasis {
  /** X'X of the layer's input: weights are then rounded together, for the least error of what they give. */
  readonly gram?: Float64Array | undefined;
  /** Its table tells of the layer's input: weights count by what they multiply, and the bias takes back the shift. */
  readonly options: BlockOptions;
}

async function designNibbles(layer: Layer, form: Form, { gram, options }: RoundingBasis): Promise<NibbleDesign> {
  const input = calibrationOf(options.table, layer.input.name);
  const { view, rule } = layer;
  const { block } = form;
  const columns = columnsOf(layer);
  const matrix = rowsOf(await finiteFloats(layer.weight, layer.name), view);
  const moments = inputMoments(layer, input);
  const perWeight = (values: readonly number[]) => rowsOf(spreadOverWeights(view, values, matrix.length), view);
  const importance = moments && perWeight(moments.second);
  const nearest = quantizeBlocks(matrix, { columns, block, bits: 4, signed: form.kind === "packed" }, importance);
  const grid = { columns, block };
  const zeroed = form.kind === "packed" ? worthZeroPoints(matrix, grid, nearest, importance) : undefined;
  const { scales, offsets } = { offsets: undefined, ...(zeroed ?? nearest) };
  const integers = gram ? roundTogether(matrix, { gram, ...grid, scales, offsets }) : (zeroed ?? nearest).integers;
  const weights = {
    integers,
    scales,
    offsets,
    rows: matrix.length / columns,
    columns,
    perRow: Math.ceil(columns / block),
    block,
  };
  const own =
    moments && options.table
      ? ownWeightSqnrDb(layer, noisePerRow(matrix, weights, perWeight(moments.variance)), options.table)
      : undefined;
  const { signal, noise } = blockError(matrix, weights);
  return {
    form,
    weights,
    bias:
      moments && rule.bias !== undefined
        ? corrected(await layer.bias?.floats(), lostPerRow(matrix, weights, perWeight(moments.mean)))
        : undefined,
    ownSqnrDb: own ?? (noise === 0 ? undefined : 10 * Math.log10(signal / noise)),
  };
}

/** A zero point costs 4 bits a block, which finer steps would turn into this much at 6.02 dB a bit. */
function zeroPointsCostDb(block: number): number {
  return (4 / block) * 6.02;
}

/** Blocks around zero points of their own, where they gain more than they cost. */
function worthZeroPoints(
  matrix: Float32Array,
  grid: { readonly columns: number; readonly block: number },
  nearest: { readonly integers: Int8Array; readonly scales: Float32Array },
  importance: Float32Array | undefined,
) {
  const zeroed = zeroPointBlocks(matrix, grid, nearest, importance);
  const perRow = Math.ceil(grid.columns / grid.block);
  const noise = (tried: typeof nearest) =>
    noisePerRow(matrix, { ...tried, ...grid, perRow }, importance ?? new Float32Array(matrix.length).fill(1)).reduce(
      (a, b) => a + b,
      0,
    );
  const gainDb = 10 * Math.log10(noise(nearest) / noise(zeroed));
  return gainDb > zeroPointsCostDb(grid.block) ? zeroed : undefined;
}

interface Together {
  readonly gram: Float64Array;
  readonly columns: number;
  readonly block: number;
  readonly scales: Float32Array;
  readonly offsets: Int8Array | undefined;
}

function roundTogether(matrix: Float32Array, { gram, offsets, ...grid }: Together): Int8Array {
  const range = { ...grid, least: -LIMIT - 1, most: LIMIT };
  if (!offsets) return roundByHessian(matrix, gram, range, DAMPING);
  const moved = roundByHessian(movedByOffsets(matrix, { ...grid, offsets }), gram, range, DAMPING);
  return withOffsets(moved, { ...grid, offsets: offsets.map((offset) => -offset) });
}

function writeNibbles(layer: Layer, { form, weights, bias }: NibbleDesign, writer: QdqWriter): void {
  if (form.kind === "packed") writeNibbleProduct(layer, weights);
  else writeDequantized(layer, weights, { kind: form.kind, writer });
  if (bias) writer.floatBias(layer, bias);
}

/** Two numbers share a byte. */
function isStreamable({ weight }: Layer, { kind }: Form): boolean {
  return kind === "columns" || (weight.size / (weight.dims[0] ?? 1)) % 2 === 0;
}

function writeStreamedDequantized(
  layer: Layer,
  { kind, block, writer, options }: { kind: "rows" | "columns"; block: number } & Tools,
): void {
  const columns = columnsOf(layer);
  const rows = layer.weight.size / columns;
  const isRows = kind === "rows";
  const form = {
    block,
    node: layer.name,
    dataType: DataType.INT4,
    dims: isRows ? [rows, columns] : [columns, rows],
    scaleType: DataType.FLOAT,
    scaleDims: isRows ? [rows, columns / block] : [columns / block, rows],
    positive: options.layout === "tensorrt",
  };
  const nibbles = isRows ? streamedRows(layer.weight, form) : streamedDown(layer.weight, form);
  attachMatrix(layer, nibbles, { isRows, block, writer });
}

function writeDequantized(
  layer: Layer,
  weights: BlockWeights,
  { kind, writer }: { kind: "rows" | "columns"; writer: QdqWriter },
): void {
  const { rows, columns, perRow, block } = weights;
  const isRows = kind === "rows";
  const integers = packNibbles(isRows ? weights.integers : transposedMatrix(weights.integers, rows, columns));
  const scales = isRows ? weights.scales : transposedMatrix(weights.scales, rows, perRow);
  const data = Tensor.of(DataType.INT4, isRows ? [rows, columns] : [columns, rows], integers);
  const nibbles = { data, scales: Tensor.f32(isRows ? [rows, perRow] : [perRow, rows], scales) };
  attachMatrix(layer, nibbles, { isRows, block, writer });
}

function attachMatrix(
  { node, rule, weight }: Layer,
  { data, scales }: StreamedNibbles,
  { isRows, block, writer }: { isRows: boolean; block: number; writer: QdqWriter },
): void {
  const at = { name: node.input(rule.weight).name, before: node };
  const matrix = writer.constant(data, scales, isRows ? 1 : 0, at);
  matrix.producer?.set("block_size", block);
  replaceConstant(node, rule.weight, weight.dims.length === 2 ? matrix : writer.reshape(matrix, weight.dims, at));
}
