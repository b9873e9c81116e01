/** Whether a calibration's images were enough, for a person, in one line. */
import { calibrateReport } from "../../nodes/calibrate/report.ts";

/** Outlier images named; the report has them all. */
const NAMED = 3;

/** Undefined where the report is none of a calibration. */
export function coverageLine(node: string, report: unknown): string | undefined {
  const parsed = calibrateReport.safeParse(report);
  if (!parsed.success) return undefined;
  const { images, settledAfter, unsettledTensors, outlierImages, clippedShare, tensors } = parsed.data;
  const outliers = outlierImages.slice(0, NAMED).map((one) => `${one.image} alone stretched ${one.tensors}`);
  const more = outlierImages.length - NAMED;
  return [
    `${node}: ranges of ${tensors.length} tensors settled after ${settledAfter} of ${images} images`,
    ...(unsettledTensors.length > 0 ? [`${unsettledTensors.length} still widened at the end`] : []),
    `${(clippedShare * 100).toPrecision(2)} % of the values clipped`,
    ...outliers,
    ...(more > 0 ? [`and ${more} more`] : []),
  ].join("; ");
}
