/** The calibration artifact: what a quantizer must know of the activations, in a few kilobytes a tensor. */
export const CALIBRATION_METHODS = ["minmax", "moving-average", "percentile", "entropy", "mse", "lp-norm"] as const;
export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

export interface TensorCalibration {
  /** Smallest and largest value seen. */
  readonly min: number;
  readonly max: number;
  /** Chosen range for an asymmetric quantizer; contains zero. */
  readonly lo: number;
  readonly hi: number;
  /** Chosen bound of |x| for a symmetric quantizer. */
  readonly bound: number;
  /** Share of values outside [lo, hi]. */
  readonly clipped: number;
  /** The function that alone reads the tensor, whose error the choice went by. */
  readonly response?: string | undefined;
  /** Counts of values in bins of `width` from `low` on. */
  readonly histogram: { readonly low: number; readonly width: number; readonly counts: readonly number[] };
  /** Mean and variance of each channel. */
  readonly channels: { readonly mean: readonly number[]; readonly variance: readonly number[] };
  /** Number of images after which the range grew by no more than a hundredth. */
  readonly settledAfter: number;
}

export interface CalibrationTable {
  readonly kind: "calibration";
  readonly version: 1;
  readonly method: CalibrationMethod;
  readonly images: number;
  /** By tensor name. */
  readonly tensors: Readonly<Record<string, TensorCalibration>>;
}

/** What was seen of a tensor; undefined where it was not observed. */
export function calibrationOf(table: CalibrationTable | undefined, name: string): TensorCalibration | undefined {
  return table && Object.hasOwn(table.tensors, name) ? table.tensors[name] : undefined;
}
