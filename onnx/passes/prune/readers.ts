/**
 * The layers that read the channels of a model, each with the second moments of what it reads: enough to tell what it
 * loses without some of its input channels, refitted or not.
 */
import type { Evaluator } from "../../evaluator.ts";
import type { Model, Node, Value } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { sampleChannels } from "../../kernels/channelSamples.ts";
import { type LinearReader, newLinearReader } from "../../kernels/elimination.ts";
import { type NormalEquations, newNormalEquations } from "../../kernels/leastSquares.ts";
import { GramProducts } from "./gramProducts.ts";
import { type Layer, layersOf } from "./layers.ts";

export interface ReaderOptions {
  readonly evaluator: Evaluator;
  readonly items: readonly HostTensors[];
  /** The layers will be refitted, their biases too. */
  readonly refit: boolean;
  readonly signal?: AbortSignal;
}

export interface ChannelReader {
  readonly layer: Layer;
  readonly linear: LinearReader;
  /** Of each channel read, where a bias can take it in. */
  readonly means: Float64Array | undefined;
}

/** Positions that moments are taken from, an item. */
const ROWS = 128;
/**
 * Share of the mean second moment that is added to each channel's. It stands for what these inputs do not show: a channel
 * that is quiet on them (a detector's, of a class that is rare in them) keeps a price by the size of its weights. Of .01
 * to 10, this served inputs like these as well as the smallest did, and inputs of another kind far better.
 */
const RIDGE = 0.3;
/** Wider layers are judged without a refit: its cost grows with the cube. */
const WIDEST = 768;

/** By weight; layers that share one are judged by the first. */
export async function channelReaders(model: Model, options: ReaderOptions): Promise<ReadonlyMap<Value, ChannelReader>> {
  const layers = layersOf(model.graph).filter((layer) => layer.inAxis !== undefined);
  const moments = await momentsOf(model, layers, options);
  const readers = new Map<Value, ChannelReader>();
  for (const layer of layers) {
    const seen = moments.get(layer.x);
    if (seen && !readers.has(layer.weight)) readers.set(layer.weight, await readerOf(layer, seen, options.refit));
  }
  return readers;
}

/** By value: second moments of its channels and of a constant 1 behind them. */
export async function momentsOf(
  model: Model,
  layers: readonly Layer[],
  { evaluator, items, signal }: ReaderOptions,
): Promise<ReadonlyMap<Value, NormalEquations>> {
  const reads = new Map(layers.map((layer) => [layer.x, layer.xAxis]));
  const names = [...reads.keys()].filter((value) => !value.isGraphInput).map((value) => value.name);
  const moments = new Map<Value, NormalEquations>();
  await using session = await evaluator.open(model, { alsoReturn: names });
  await using products = await GramProducts.open(evaluator);
  for (const [i, item] of items.entries()) {
    signal?.throwIfAborted();
    const values = await session.run(item);
    for (const [value, axis] of reads) {
      const tensor = values[value.name] ?? item[value.name];
      if (!(tensor?.data instanceof Float32Array)) continue;
      const { columns, rows } = sampleChannels(tensor.data, tensor.dims, { axis, rows: ROWS, seed: i + 1 });
      const into = moments.get(value) ?? newNormalEquations((tensor.dims[axis] ?? 0) + 1, 0);
      moments.set(value, into);
      await products.add(into, columns, NO_TARGETS, rows);
    }
  }
  return moments;
}
const NO_TARGETS = new Float32Array(0);

async function readerOf(layer: Layer, seen: NormalEquations, refit: boolean): Promise<ChannelReader> {
  const { rows, moments, means, inputs } = await readingOf(layer, seen, refit);
  const ridge = refit && !isGrouped(layer) && inputs <= WIDEST ? RIDGE : undefined;
  return { layer, linear: newLinearReader(rows, moments, ridge), means };
}

/** Without inputs: every channel counts alike, and nothing makes good. */
export async function blindReader(layer: Layer): Promise<ChannelReader> {
  const rows = await inputRows(layer.weight, layer.inAxis ?? 0);
  const inputs = layer.weight.initializer?.dims[layer.inAxis ?? 0] ?? 0;
  return { layer, linear: newLinearReader(rows, identity(inputs), undefined), means: undefined };
}

export function identity(n: number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = 1;
  return matrix;
}

export interface Reading {
  readonly inputs: number;
  /** The weight with the channels it reads as rows. */
  readonly rows: Float64Array;
  /** Second moments of these channels, inputs x inputs; without their means where a bias can take those in. */
  readonly moments: Float64Array;
  readonly means: Float64Array | undefined;
}

export async function readingOf(layer: Layer, seen: NormalEquations, refit: boolean): Promise<Reading> {
  const { node, weight, inAxis = 0 } = layer;
  const channels = seen.n - 1;
  const grouped = isGrouped(layer);
  const centred = refit && !grouped && takesBias(node);
  const means = Float64Array.from({ length: channels }, (_, i) => (seen.gram[channels * seen.n + i] ?? 0) / seen.rows);
  const rows = await inputRows(weight, inAxis);
  const inputs = weight.initializer?.dims[inAxis] ?? 0;
  const moments = new Float64Array(inputs * inputs);
  for (let i = 0; i < channels; i++) {
    for (let j = 0; j <= i; j++) {
      // A grouped layer's weight has one row for several channels of x: their power is the row's.
      if (grouped && i !== j) continue;
      const moment = (seen.gram[i * seen.n + j] ?? 0) / seen.rows - (centred ? (means[i] ?? 0) * (means[j] ?? 0) : 0);
      const [row, column] = [i % inputs, j % inputs];
      moments[row * inputs + column] = (moments[row * inputs + column] ?? 0) + moment;
      if (row !== column) moments[column * inputs + row] = (moments[column * inputs + row] ?? 0) + moment;
    }
  }
  return { inputs, rows, moments, means: centred ? means : undefined };
}

function isGrouped({ node }: Layer): boolean {
  return (node.int("group") ?? 1) > 1;
}

/** Every output gets each of its weights' products, and the bias as it is. */
function takesBias(node: Node): boolean {
  return node.opType === "Conv" || (node.opType === "Gemm" && (node.float("beta") ?? 1) === 1);
}

/** The weight with the channels it reads as rows. */
async function inputRows(weight: Value, axis: number): Promise<Float64Array> {
  const tensor = weight.initializer;
  if (!tensor) return new Float64Array(0);
  const data = await tensor.floats();
  const place = rowPlaces(tensor.dims, axis);
  const rows = new Float64Array(data.length);
  for (let at = 0; at < data.length; at++) rows[place(at)] = data[at] ?? 0;
  return rows;
}

/** Where an element of a tensor lies once an axis has become the first and the others are one. */
export function rowPlaces(dims: readonly number[], axis: number): (at: number) => number {
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const size = dims[axis] ?? 1;
  const width = dims.reduce((a, b) => a * b, 1) / size;
  return (at) => {
    const outer = Math.floor(at / (inner * size));
    return (Math.floor(at / inner) % size) * width + outer * inner + (at % inner);
  };
}
