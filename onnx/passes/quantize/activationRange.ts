/** From a calibrated range to scale and zero point. */
import { DataType } from "../../ir/dataType.ts";
import type { ClipRange } from "../calibrate/table.ts";
import type { Layout } from "./layout.ts";

export interface QuantizationParameters {
  readonly scale: number;
  readonly zeroPoint: number;
  /** Element type of the integers: UINT8 or INT8. */
  readonly dataType: number;
}

/** The smallest and the largest integer; -128 is left out, for a symmetric one. */
export function integersOf({ dataType }: QuantizationParameters): { readonly least: number; readonly most: number } {
  return dataType === DataType.UINT8 ? { least: 0, most: 255 } : { least: -127, most: 127 };
}

/** A tensor that was zero on every image has no range: any scale serves. */
const SMALLEST_RANGE = 1e-6;

export function quantizationParameters(range: ClipRange, layout: Layout): QuantizationParameters {
  if (layout.activations === "symmetric") {
    return { scale: Math.fround(Math.max(range.bound, SMALLEST_RANGE) / 127), zeroPoint: 0, dataType: DataType.INT8 };
  }
  const lo = Math.min(0, range.lo);
  const scale = Math.fround(Math.max(Math.max(0, range.hi) - lo, SMALLEST_RANGE) / 255);
  return { scale, zeroPoint: Math.min(255, Math.max(0, Math.round(-lo / scale))), dataType: DataType.UINT8 };
}

/** The range that serves all of them. */
export function unionOf(ranges: readonly ClipRange[]): ClipRange {
  return {
    lo: Math.min(...ranges.map((range) => range.lo)),
    hi: Math.max(...ranges.map((range) => range.hi)),
    bound: Math.max(...ranges.map((range) => range.bound)),
  };
}
