/** The calibration as a person reads it: coverage first, then each tensor's histogram in a few bins with its clip. */
import { z } from "zod";
import type { Coverage } from "../../onnx/passes/calibrate/coverage.ts";
import type { CalibrationTable, TensorCalibration } from "../../onnx/passes/calibrate/table.ts";
import type { Report } from "../context.ts";

const tensorReport = z.object({
  name: z.string(),
  min: z.number(),
  max: z.number(),
  /** The chosen range: asymmetric, and symmetric as a bound of |x|. */
  lo: z.number(),
  hi: z.number(),
  bound: z.number(),
  /** What 8 bits keep of the tensor, dB, with a zero point and without; absent where nothing is lost. */
  sqnrDb: z.number().optional(),
  symmetricSqnrDb: z.number().optional(),
  clippedShare: z.number(),
  settledAfter: z.number(),
  response: z.string().optional(),
  histogram: z.object({ low: z.number(), width: z.number(), counts: z.array(z.number()) }),
});
export type TensorReport = z.infer<typeof tensorReport>;

/** What the face reads of the report. */
export const calibrateReport = z.object({
  method: z.string(),
  images: z.number(),
  settledAfter: z.number(),
  unsettledTensors: z.array(z.string()),
  outlierImages: z.array(z.object({ image: z.string(), tensors: z.number() })),
  clippedShare: z.number(),
  tensors: z.array(tensorReport),
});
export type CalibrateReport = z.infer<typeof calibrateReport>;

/** Bars of a histogram in the report. */
const BARS = 64;

export function calibrationReport(table: CalibrationTable, coverage: Coverage): Report {
  const tensors = Object.entries(table.tensors).map(
    ([name, tensor]): TensorReport => ({
      name,
      min: tensor.min,
      max: tensor.max,
      lo: tensor.lo,
      hi: tensor.hi,
      bound: tensor.bound,
      ...(tensor.sqnrDb?.asymmetric !== undefined && { sqnrDb: tensor.sqnrDb.asymmetric }),
      ...(tensor.sqnrDb?.symmetric !== undefined && { symmetricSqnrDb: tensor.sqnrDb.symmetric }),
      clippedShare: tensor.clipped,
      settledAfter: tensor.settledAfter,
      ...(tensor.response !== undefined && { response: tensor.response }),
      histogram: bars(tensor.histogram),
    }),
  );
  return {
    kind: "calibrate",
    version: 1,
    provenance: "measured",
    method: table.method,
    images: table.images,
    settledAfter: coverage.settledAfter,
    unsettledTensors: [...coverage.unsettled],
    outlierImages: coverage.outliers.map(({ image, name, tensors: stretched }) => ({
      image: name ?? `image ${image}`,
      tensors: stretched,
    })),
    clippedShare: coverage.clipped,
    tensors: tensors.sort((a, b) => worth(a) - worth(b)),
  } satisfies Report & CalibrateReport;
}

/** What loses most comes first. */
function worth({ sqnrDb }: TensorReport): number {
  return sqnrDb ?? Number.POSITIVE_INFINITY;
}

/** At most `BARS` bins of equal width. */
function bars({ low, width, counts }: TensorCalibration["histogram"]): TensorReport["histogram"] {
  const merge = Math.max(1, Math.ceil(counts.length / BARS));
  const merged: number[] = [];
  for (const [i, count] of counts.entries()) {
    const bar = Math.floor(i / merge);
    merged[bar] = (merged[bar] ?? 0) + count;
  }
  return { low, width: width * merge, counts: merged };
}
