/** The calibration artifact: what a quantizer must know of the activations, in a few kilobytes a tensor. */
export const CALIBRATION_METHODS = ["minmax", "moving-average", "percentile", "entropy", "mse", "lp-norm"] as const;
export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

/** What `auto` keeps the ranges of; the first serves where nothing is measured to choose by. */
export const CANDIDATE_METHODS = ["mse", "lp-norm", "percentile", "moving-average", "minmax", "entropy"] as const;
export type CandidateMethod = (typeof CANDIDATE_METHODS)[number];

/** A clip: asymmetric, and symmetric as a bound of |x|. */
export interface ClipRange {
  readonly lo: number;
  readonly hi: number;
  readonly bound: number;
}

export interface TensorCalibration extends ClipRange {
  /** Smallest and largest value seen. */
  readonly min: number;
  readonly max: number;
  /** The range by each method, where the method is `auto`: a quantizer with images measures which serves best. */
  readonly ranges?: Readonly<Record<CandidateMethod, ClipRange>> | undefined;
  /**
   * What 8 bits keep of the tensor under the range, as the function behind it sees it, dB, with a zero point and without;
   * absent where nothing is lost, or nothing was there.
   */
  readonly sqnrDb?: { readonly asymmetric?: number | undefined; readonly symmetric?: number | undefined } | undefined;
  /** Share of values outside [lo, hi]. */
  readonly clipped: number;
  /** The function that alone reads the tensor, whose error the choice went by. */
  readonly response?: string | undefined;
  /** Counts of values in bins of `width` from `low` on. */
  readonly histogram: { readonly low: number; readonly width: number; readonly counts: readonly number[] };
  /** Mean and variance of each channel, and the range it took and the values it had where that is known. */
  readonly channels: {
    readonly count?: number | undefined;
    readonly mean: readonly number[];
    readonly variance: readonly number[];
    readonly min?: readonly number[] | undefined;
    readonly max?: readonly number[] | undefined;
  };
  /** Number of images after which the range grew by no more than a hundredth. */
  readonly settledAfter: number;
  /** What each image alone spanned, by which a later calibration goes on from this one. */
  readonly perImage?: PerImage | undefined;
}

export interface PerImage {
  readonly meanMin: number;
  readonly meanMax: number;
  /** The image (from 0) with the largest |x|, that |x|, and the largest of all the others. */
  readonly widest: { readonly image: number; readonly bound: number; readonly name?: string | undefined };
  readonly runnerUp: number;
}

export interface CalibrationTable {
  readonly kind: "calibration";
  readonly version: 1;
  /** `given`: the ranges are those of a table made elsewhere. */
  readonly method: CalibrationMethod | "auto" | "given";
  readonly images: number;
  /** By tensor name. */
  readonly tensors: Readonly<Record<string, TensorCalibration>>;
}

/** What was seen of a tensor; undefined where it was not observed. */
export function calibrationOf(table: CalibrationTable | undefined, name: string): TensorCalibration | undefined {
  return table && Object.hasOwn(table.tensors, name) ? table.tensors[name] : undefined;
}

/** The ranges that `method` alone would have, for a table of `auto`; `clipped` still tells of the first candidate's. */
export function byMethod(table: CalibrationTable, method: CandidateMethod): CalibrationTable {
  const tensors: Record<string, TensorCalibration> = {};
  for (const [name, { ranges, ...tensor }] of Object.entries(table.tensors)) {
    tensors[name] = { ...tensor, ...ranges?.[method] };
  }
  return { ...table, method, tensors };
}
