/**
 * How much a layer will suffer, before anything runs: the noise that rounding adds to its output, over the variance of
 * its output, both per channel. Three sources: the input's rounding, passed on by the weights; the
 * weights' own rounding, times the input's variance; and the output's rounding, seen through the function behind it by the
 * layers that read on.
 */
import type { Value } from "../../ir/graph.ts";
import { roundingError, seenThrough } from "../../kernels/clipRange.ts";
import { type CalibrationTable, calibrationOf, type TensorCalibration } from "../calibrate/table.ts";
import { integersOf, type QuantizationParameters } from "./activationRange.ts";
import type { Layer } from "./layers.ts";
import type { QuantizedWeights } from "./layerWeights.ts";
import { type Response, responseAfter } from "./response.ts";

export interface LayerDesign {
  readonly layer: Layer;
  readonly weights: QuantizedWeights;
  readonly input: QuantizationParameters;
  /** Of the layer's output, where the layout quantizes it. */
  readonly output: QuantizationParameters | undefined;
}

/** Per layer 10 log10 of signal over noise; undefined where its channels were not calibrated. */
export function predictSqnrDb(
  designs: readonly LayerDesign[],
  table: CalibrationTable,
): readonly (number | undefined)[] {
  const readers = new Map<Value, LayerDesign[]>();
  for (const design of designs) readers.set(design.layer.input, [...(readers.get(design.layer.input) ?? []), design]);
  return designs.map((design) => {
    const input = calibrationOf(table, design.layer.input.name);
    if (!input) return undefined;
    const own = noiseShare(design, roundingNoise(input, design.input, undefined), table, design.weights.noise);
    if (own === undefined) return undefined;
    const share = own + outputShare(design, readers, table);
    return share === 0 ? undefined : -10 * Math.log10(share);
  });
}

/** What rounding the weights alone costs a layer, from the noise it adds per output channel; undefined as above. */
export function ownWeightSqnrDb(layer: Layer, noise: Float64Array, table: CalibrationTable): number | undefined {
  const variance = calibrationOf(table, layer.output.name)?.channels.variance;
  if (variance?.length !== noise.length) return undefined;
  const share = meanShare((c) => noise[c] ?? 0, variance);
  return share === 0 ? undefined : -10 * Math.log10(share);
}

/** Share that white noise on the input, and `more` on top, takes of a layer's output. */
function noiseShare(
  { layer, weights }: LayerDesign,
  white: number,
  table: CalibrationTable,
  more?: Float64Array,
): number | undefined {
  const variance = calibrationOf(table, layer.output.name)?.channels.variance;
  if (variance?.length !== weights.gain.length) return undefined;
  return meanShare((c) => white * (weights.gain[c] ?? 0) + (more?.[c] ?? 0), variance);
}

/** What rounding the output costs, behind the function that reads it, in the layers that read on from there. */
function outputShare(
  { layer, output }: LayerDesign,
  readers: ReadonlyMap<Value, readonly LayerDesign[]>,
  table: CalibrationTable,
): number {
  const seen = calibrationOf(table, layer.output.name);
  if (!output || !seen) return 0;
  const response = responseAfter(layer.output);
  const noise = roundingNoise(seen, output, response);
  const next = readers.get(response?.output ?? layer.output) ?? [];
  const shares = next.flatMap((reader) => noiseShare(reader, noise, table) ?? []);
  return shares.length > 0 ? Math.max(...shares) : meanShare(() => noise, seen.channels.variance);
}

/**
 * Noise over signal, mean over the channels, at most 1 each: a channel that is lost cannot be lost twice. A channel
 * counts by its standard deviation, so that dead ones, which have no signal to lose, count for nothing.
 */
function meanShare(noise: (channel: number) => number, variances: readonly number[]): number {
  let sum = 0;
  let weights = 0;
  for (const [c, variance] of variances.entries()) {
    const weight = Math.sqrt(variance);
    weights += weight;
    if (weight > 0) sum += (weight * noise(c)) / (noise(c) + variance);
  }
  return weights === 0 ? 0 : sum / weights;
}

function roundingNoise(
  { histogram }: TensorCalibration,
  parameters: QuantizationParameters,
  response: Response | undefined,
): number {
  const { scale, zeroPoint } = parameters;
  const { least, most } = integersOf(parameters);
  const edge = (x: number) =>
    Math.min(histogram.counts.length, Math.max(0, Math.round((x - histogram.low) / histogram.width)));
  const sums = seenOnce(histogram, response);
  return roundingError(sums, edge((least - zeroPoint) * scale), edge((most - zeroPoint) * scale), scale);
}

/** A tensor's histogram through what follows it: the same for each of the ranges that a search for evidence tries. */
const known = new WeakMap<TensorCalibration["histogram"], Map<string, ReturnType<typeof seenThrough>>>();

function seenOnce(histogram: TensorCalibration["histogram"], response: Response | undefined) {
  const byResponse = known.get(histogram) ?? new Map<string, ReturnType<typeof seenThrough>>();
  known.set(histogram, byResponse);
  const name = response?.name ?? "";
  const sums = byResponse.get(name) ?? seenThrough(histogram, response?.of ?? ((x) => x), 2);
  byResponse.set(name, sums);
  return sums;
}

/** The same for weights alone: what their rounding adds to white input. */
export function predictedWeightSqnrDb({ gain, noise }: QuantizedWeights): number | undefined {
  const [signal, error] = [gain, noise].map((values) => values.reduce((a, b) => a + b, 0));
  return signal && error ? 10 * Math.log10(signal / error) : undefined;
}
