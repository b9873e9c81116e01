/** A layer's weights rounded by what they multiply, and what the rounding of that shifts: both from observed inputs. */
import { roundByHessian } from "../../kernels/gptq.ts";
import { layoutAround, sumPerOutput, type WeightBlocks } from "../../kernels/layerError.ts";
import { dequantizeChannels, fromRows, rowsOf } from "../../kernels/quantizeWeights.ts";
import type { Layer } from "./layers.ts";
import type { RoundedWeights } from "./layerWeights.ts";
import type { RoundedInput } from "./roundedInputs.ts";

interface Rounding {
  readonly view: WeightBlocks;
  /** One for each output channel, or one for all. */
  readonly scales: Float32Array;
  readonly limit: number;
  readonly seen: RoundedInput;
}

/** Integers where the weights lie; the inputs' means are left to the bias. */
export function roundTogether(weights: Float32Array, { view, scales, limit, seen }: Rounding): Int8Array {
  const { outputs, inputs, taps } = view;
  const block = inputs * taps;
  const rows = rowsOf(weights, view);
  const integers = new Int8Array(rows.length);
  for (const [g, gram] of seen.grams.entries()) {
    const from = g * outputs;
    const own =
      scales.length === 1 ? new Float32Array(outputs).fill(scales[0] ?? 1) : scales.slice(from, from + outputs);
    const part = rows.subarray(from * block, (from + outputs) * block);
    const grid = { block, scales: own, least: -limit, most: limit };
    integers.set(roundByHessian(part, gram, grid), from * block);
  }
  return fromRows(integers, view);
}

/** Per output channel the mean that the rounding of the inputs takes from the layer's output. */
export function inputShift(
  { integers, scales }: Pick<RoundedWeights, "integers" | "scales">,
  { view, weight }: Pick<Layer, "view" | "weight">,
  { shifts }: RoundedInput,
): Float64Array {
  const rounded = dequantizeChannels(integers, layoutAround(weight.dims, view.outputAxis), scales);
  return sumPerOutput(view, rounded, shifts);
}
