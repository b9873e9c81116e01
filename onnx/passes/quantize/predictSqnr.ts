/**
 * How much a layer will suffer, before anything runs: the noise that rounding adds to its output, over the variance of
 * its output, both per channel. Three sources: the input's rounding and clipping, passed on by the weights; the
 * weights' own rounding, times the input's variance; and the output's rounding, seen through the function behind it.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Value } from "../../ir/graph.ts";
import { clipError, responseSums } from "../../kernels/clipRange.ts";
import type { CalibrationTable, TensorCalibration } from "../calibrate/table.ts";
import type { QuantizationParameters } from "./activationRange.ts";
import type { Layer } from "./layers.ts";
import type { QuantizedWeights } from "./layerWeights.ts";
import { responseAfter } from "./response.ts";

/** 10 log10 of signal over noise at the layer's output; undefined where the channels were not calibrated. */
export function predictSqnrDb(
  design: {
    readonly layer: Layer;
    readonly weights: QuantizedWeights;
    readonly input: QuantizationParameters;
    readonly output: QuantizationParameters | undefined;
  },
  table: CalibrationTable,
): number | undefined {
  const { layer, weights } = design;
  const input = table.tensors[layer.input.name];
  const output = table.tensors[layer.output.name];
  if (!input || output?.channels.variance.length !== weights.noise.length) return undefined;
  const white = roundingNoise(input, design.input, (x) => x);
  const noise = weights.noise.map((fromWeights, c) => fromWeights + white * (weights.gain[c] ?? 0));
  const share = meanShare((c) => noise[c] ?? 0, output.channels.variance);
  const rounding = design.output ? outputShare(layer.output, output, design.output, table) : 0;
  return share + rounding === 0 ? undefined : -10 * Math.log10(share + rounding);
}

/** Rounding of the output, as it is behind the function that reads it. */
function outputShare(
  value: Value,
  output: TensorCalibration,
  parameters: QuantizationParameters,
  table: CalibrationTable,
): number {
  const response = responseAfter(value);
  const after = response && table.tensors[response.output.name];
  const noise = roundingNoise(output, parameters, response?.of ?? ((x) => x));
  return meanShare(() => noise, (after ?? output).channels.variance);
}

/** Noise over signal, mean over the channels; at most 1 each, for a channel that is lost cannot be lost twice. */
function meanShare(noise: (channel: number) => number, variances: readonly number[]): number {
  const shares = variances.map((variance, c) => (noise(c) === 0 ? 0 : noise(c) / (noise(c) + variance)));
  return shares.reduce((a, b) => a + b, 0) / shares.length;
}

function roundingNoise(
  { histogram }: TensorCalibration,
  { scale, zeroPoint, dataType }: QuantizationParameters,
  response: (x: number) => number,
): number {
  const [least, most] = dataType === DataType.UINT8 ? [0, 255] : [-127, 127];
  const edge = (x: number) =>
    Math.min(histogram.counts.length, Math.max(0, Math.round((x - histogram.low) / histogram.width)));
  const sums = responseSums(histogram, response);
  return clipError(sums, edge((least - zeroPoint) * scale), edge((most - zeroPoint) * scale), scale);
}
