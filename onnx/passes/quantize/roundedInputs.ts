/**
 * What layers read once their inputs are rounded, learned from a few frames at sampled positions: which inputs move
 * together (X'X, by which weights are rounded), and how far rounding shifts each mean (which the bias takes back).
 * Each layer by itself: the frames run through the float model. Memory does not grow with the frames.
 */
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { type ConvGeometry, gatherInputs, samplePositions } from "../../kernels/convSamples.ts";
import { addColumnSums, addNumbers, addShifts, centred, roundActivations } from "../../kernels/roundActivations.ts";
import { PiecewiseRun } from "../calibrate/piecewiseRun.ts";
import { asImage, convGeometry, UNIT } from "../prune/refit.ts";
import { integersOf, type QuantizationParameters } from "./activationRange.ts";
import { GroupProducts } from "./groupProducts.ts";
import { type Layer, quantizableLayers } from "./layers.ts";
import type { MeasuringContext } from "./outputReference.ts";

export interface RoundedInput {
  /** X'X of each group over its inputs x taps, its lower triangle, around the mean. */
  readonly grams: readonly Float64Array[];
  /** Mean of x - q(x) of each input channel, over positions spread evenly. */
  readonly shifts: Float64Array;
}

export interface RoundingOptions {
  readonly frames: readonly HostTensors[];
  /** What rounds each layer's input, by layer name; layers without are left out. */
  readonly parameters: ReadonlyMap<string, QuantizationParameters>;
}

/** Rows sampled for each unknown of a layer, and at least, over all frames. */
const ROWS_PER_UNKNOWN = 3;
const MIN_ROWS = 256;
/** Values of a channel, of one frame, by which the shift of its mean is known. */
const MOST_OF_CHANNEL = 256;
/** X'X of wider layers would not fit beside others. */
const WIDEST = 1024;
/** Of tensors that are seen at a time. */
const PIECE_BYTES = 2 ** 24;

/** By layer name; without layers of a form that is not sampled (transposed, 1-D and 3-D convolutions, very wide ones). */
export async function observeRoundedInputs(
  model: Model,
  { frames, parameters }: RoundingOptions,
  { evaluator, signal }: MeasuringContext,
): Promise<ReadonlyMap<string, RoundedInput>> {
  const samplers = quantizableLayers(model.graph).layers.flatMap((layer) => {
    const rounding = parameters.get(layer.name);
    const geometry = geometryOf(layer);
    return rounding && geometry ? [new Sampler(layer, geometry, { rounding, frames: frames.length })] : [];
  });
  const feeds = new Set(model.graph.feeds.map(({ name }) => name));
  const wanted = [...new Set(samplers.map(({ layer }) => layer.input.name))].filter((name) => !feeds.has(name));
  await using run = await PiecewiseRun.open(model, wanted, { evaluator, pieceBytes: PIECE_BYTES });
  await using products = await GroupProducts.open(evaluator);
  for (const [i, frame] of frames.entries()) {
    signal?.throwIfAborted();
    await run.run(frame, (tensors) => {
      for (const sampler of samplers) sampler.sample(tensors, i + 1);
    });
    for (const sampler of samplers) await sampler.multiply(products);
  }
  return new Map(samplers.map((sampler) => [sampler.layer.name, sampler.result()]));
}

function geometryOf({ node, view, weight, rule }: Layer): ConvGeometry | undefined {
  if (view.inputs * view.taps > WIDEST) return undefined;
  if (node.opType === "Conv")
    return weight.dims.length === 4 ? convGeometry(node, weight.dims[2], weight.dims[3]) : undefined;
  return rule.channelAxis === -1 && node.int("transA") !== 1 ? UNIT : undefined;
}

/** Output rows and columns of a convolution over [.., height, width]. */
function outputSize({ node }: Layer, { kernel, strides, dilations, pads }: ConvGeometry, size: readonly number[]) {
  const ends = node.ints("pads")?.slice(2) ?? [];
  return [0, 1].map((axis) => {
    const [at, step] = axis === 0 ? [kernel[0], strides[0]] : [kernel[1], strides[1]];
    const reach = (axis === 0 ? dilations[0] : dilations[1]) * (at - 1) + 1;
    const padded = (size[axis] ?? 1) + (axis === 0 ? pads[0] : pads[1]) + (ends[axis] ?? 0);
    return Math.max(0, Math.floor((padded - reach) / step) + 1);
  });
}

class Sampler {
  /** Of all groups, one after another. */
  readonly #grams: Float64Array;
  readonly #sums: Float64Array;
  #rows = 0;
  readonly #shifts: Float64Array;
  readonly #rowsPerFrame: number;
  /** Rounded columns of this frame, [groups * unknowns, rows]. */
  #sampled: { readonly columns: Float32Array; readonly rows: number } | undefined;
  /** Of each channel. */
  #values = 0;

  constructor(
    readonly layer: Layer,
    private readonly geometry: ConvGeometry,
    private readonly how: { readonly rounding: QuantizationParameters; readonly frames: number },
  ) {
    const { groups, inputs, taps } = layer.view;
    const unknowns = inputs * taps;
    this.#grams = new Float64Array(groups * unknowns ** 2);
    this.#sums = new Float64Array(groups * unknowns);
    this.#shifts = new Float64Array(groups * inputs);
    this.#rowsPerFrame = Math.ceil(Math.max(MIN_ROWS, ROWS_PER_UNKNOWN * unknowns) / how.frames);
  }

  sample(tensors: HostTensors, seed: number): void {
    const { layer, geometry } = this;
    const { rounding } = this.how;
    const { groups, inputs } = layer.view;
    const tensor = tensors[layer.input.name];
    const image = tensor && asImage(tensor, layer.rule.channelAxis);
    if (!image) return;
    const [outHeight = 0, outWidth = 0] = outputSize(layer, geometry, image.dims.slice(2));
    const positions = samplePositions((image.dims[0] ?? 1) * outHeight * outWidth, this.#rowsPerFrame, seed);
    const rows = positions.length;
    const all = { from: 0, count: groups * inputs };
    const columns = gatherInputs(image, all, { positions, outHeight, outWidth }, geometry);
    const steps = { ...rounding, ...integersOf(rounding) };
    this.#sampled = { columns: roundActivations(columns, steps), rows };
    const inner = (image.dims[2] ?? 1) * (image.dims[3] ?? 1);
    const step = Math.ceil(inner / MOST_OF_CHANNEL);
    addShifts(image.data, { inner, step }, steps, this.#shifts);
    this.#values += (image.data.length / inner / this.#shifts.length) * Math.ceil(inner / step);
  }

  async multiply(products: GroupProducts): Promise<void> {
    if (!this.#sampled) return;
    const { columns, rows } = this.#sampled;
    this.#sampled = undefined;
    if (rows === 0) return;
    const { groups, inputs, taps } = this.layer.view;
    const own = columns.subarray(0, this.#sums.length * rows);
    addNumbers(await products.of(own, [groups, inputs * taps, rows]), this.#grams);
    addColumnSums(own, rows, this.#sums);
    this.#rows += rows;
  }

  result(): RoundedInput {
    const { groups, inputs, taps } = this.layer.view;
    const [unknowns, rows] = [inputs * taps, Math.max(1, this.#rows)];
    const grams = Array.from({ length: groups }, (_, g) =>
      centred(
        this.#grams.subarray(g * unknowns ** 2, (g + 1) * unknowns ** 2),
        this.#sums.subarray(g * unknowns, (g + 1) * unknowns),
        rows,
      ),
    );
    return { grams, shifts: this.#shifts.map((sum) => sum / Math.max(1, this.#values)) };
  }
}
