/** A calibration table that also speaks of the tensors whose channels were divided. */
import type { CalibrationTable, TensorCalibration } from "../calibrate/table.ts";
import { calibrationOf } from "../calibrate/table.ts";
import type { Equalised } from "./equalise.ts";

export function withEqualised(table: CalibrationTable, equalised: readonly Equalised[]): CalibrationTable {
  const tensors: Record<string, TensorCalibration> = { ...table.tensors };
  for (const { tensor, scaled, factors } of equalised) {
    const seen = calibrationOf(table, tensor);
    if (seen) tensors[scaled] = divided(seen, factors);
  }
  return { ...table, tensors };
}

function divided(seen: TensorCalibration, factors: Float32Array): TensorCalibration {
  const { mean, variance, min = [], max = [] } = seen.channels;
  const over = (values: readonly number[], power = 1) => values.map((x, c) => x / (factors[c] ?? 1) ** power);
  const channels = { mean: over(mean), variance: over(variance, 2), min: over(min), max: over(max) };
  const low = Math.min(0, ...channels.min);
  const high = Math.max(0, ...channels.max);
  return {
    min: low,
    max: high,
    lo: low,
    hi: high,
    bound: Math.max(-low, high),
    clipped: 0,
    // Of the joint distribution only the range is known: one bin, in which rounding is uniform.
    histogram: { low, width: high - low, counts: [1] },
    channels,
    settledAfter: seen.settledAfter,
  };
}
