/** The calibration artifact: what a quantizer must know of the activations, in a few kilobytes a tensor. */
import { z } from "zod";

export const CALIBRATION_METHODS = ["minmax", "moving-average", "percentile", "entropy", "mse"] as const;
export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

const numbers = z.array(z.number());

const tensorCalibrationSchema = z.object({
  /** Smallest and largest value seen. */
  min: z.number(),
  max: z.number(),
  /** Chosen range for an asymmetric quantizer; contains zero. */
  lo: z.number(),
  hi: z.number(),
  /** Chosen bound of |x| for a symmetric quantizer. */
  bound: z.number(),
  /** Share of values outside [lo, hi]. */
  clipped: z.number(),
  /** The function that alone reads the tensor, whose error the choice went by. */
  response: z.string().optional(),
  /** Counts of values in bins of `width` from `low` on. */
  histogram: z.object({ low: z.number(), width: z.number(), counts: numbers }),
  /** Mean and variance of each channel. */
  channels: z.object({ mean: numbers, variance: numbers }),
  /** Number of images after which the range grew by no more than a hundredth. */
  settledAfter: z.number(),
});
export type TensorCalibration = z.infer<typeof tensorCalibrationSchema>;

export const calibrationTableSchema = z.object({
  kind: z.literal("calibration"),
  version: z.literal(1),
  method: z.enum(CALIBRATION_METHODS),
  images: z.number(),
  tensors: z.record(z.string(), tensorCalibrationSchema),
});
export type CalibrationTable = z.infer<typeof calibrationTableSchema>;

/** What was seen of a tensor; undefined where it was not observed. */
export function calibrationOf(table: CalibrationTable | undefined, name: string): TensorCalibration | undefined {
  return table && Object.hasOwn(table.tensors, name) ? table.tensors[name] : undefined;
}
