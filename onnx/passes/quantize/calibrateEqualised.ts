/**
 * The calibration table of an equalised model: tensors whose channels were divided are observed again on a few frames,
 * since how channels join into one histogram is not known from the whole. Their least and largest values are those of all
 * images, divided. Everything else stays as it was calibrated.
 */
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { Calibrator } from "../calibrate/calibrate.ts";
import { type CalibrationTable, type ClipRange, calibrationOf, type TensorCalibration } from "../calibrate/table.ts";
import type { Equalised } from "./equalise.ts";
import type { MeasuringContext } from "./outputReference.ts";

export async function calibrateEqualised(
  model: Model,
  { table, equalised, frames }: EqualisedTensors,
  { evaluator, signal }: MeasuringContext,
): Promise<CalibrationTable> {
  const only = new Set(equalised.flatMap(({ scaled, between }) => [scaled, ...between]));
  await using calibrator = await Calibrator.open(model, evaluator, { only });
  for (const frame of frames) {
    signal?.throwIfAborted();
    await calibrator.observe(frame);
  }
  const again = calibrator.finish(table.method === "given" ? "minmax" : table.method).table.tensors;
  const tensors: Record<string, TensorCalibration> = { ...table.tensors, ...again };
  for (const { tensor, scaled, factors } of equalised) {
    const [before, now] = [calibrationOf(table, tensor), again[scaled]];
    if (before && now) tensors[scaled] = widened(now, before, factors);
  }
  return { ...table, tensors };
}

export interface EqualisedTensors {
  /** Of the model before. */
  readonly table: CalibrationTable;
  readonly equalised: readonly Equalised[];
  readonly frames: readonly HostTensors[];
}

/** The range that clips nothing is that of all images. */
function widened(now: TensorCalibration, before: TensorCalibration, factors: Float32Array): TensorCalibration {
  const over = (values: readonly number[] = []) => values.map((x, c) => x / (factors[c] ?? 1));
  const min = Math.min(now.min, ...over(before.channels.min));
  const max = Math.max(now.max, ...over(before.channels.max));
  const whole: ClipRange = { lo: Math.min(0, min), hi: Math.max(0, max), bound: Math.max(-min, max) };
  return {
    ...now,
    min,
    max,
    ...(now.ranges && { ranges: { ...now.ranges, minmax: whole } }),
  };
}
