/**
 * Calibration tables in the forms of other tools, both ways.
 *
 * TensorRT's cache (what `readCalibrationCache` gives the builder): a first line `TRT-VERSION-ALGORITHM`, then a line a
 * tensor, `NAME: HEX`, the bits of the scale as a big-endian float32; the scale is the largest |x| kept over 127.
 * ONNX Runtime's `calibration.json` (its `write_calibration_table` and `save_tensors_data`): lowest and highest of each
 * tensor as numpy arrays of one element, or as plain numbers where the method was not MinMax.
 */
import { CalibrationError } from "./calibrationError.ts";
import type { CalibrationTable, ClipRange } from "./table.ts";

export type GivenRanges = ReadonlyMap<string, ClipRange>;

/** The last version whose builder takes such a cache without a word. */
const TENSORRT_HEADER = "TRT-8601-EntropyCalibration2";
const CACHE_LINE = /^(.+): ?([0-9a-fA-F]{8})$/;

export function tensorrtCache({ tensors }: CalibrationTable): string {
  const lines = Object.entries(tensors).map(([name, { bound }]) => `${name}: ${bitsOf(bound / 127)}`);
  return `${[TENSORRT_HEADER, ...lines].join("\n")}\n`;
}

export function onnxruntimeTable({ tensors }: CalibrationTable): string {
  const array = (x: number) => ({ data: [Math.fround(x)], dtype: "float32", CLS: "numpy.array" });
  const data = Object.entries(tensors).map(([name, { lo, hi }]) => {
    return [name, { lowest: array(lo), highest: array(hi), CLS: "TensorData" }];
  });
  return JSON.stringify({
    CLS: "TensorsData",
    data: Object.fromEntries(data),
    calibration_method: { CLS: "CalibrationMethod", value: "CalibrationMethod.MinMax" },
  });
}

/** Reads a table of either form, or the artifact of calibrate. Throws `CalibrationError` with the line or tensor at fault. */
export function readRanges(text: string): GivenRanges {
  const ranges = text.trimStart().startsWith("{") ? fromJson(text) : fromCache(text);
  if (ranges.size === 0) throw unreadable("it holds no tensor");
  return ranges;
}

function fromCache(text: string): GivenRanges {
  const [header = "", ...lines] = text.split(/\r?\n/);
  if (!/^TRT-\d+-\w+$/.test(header.trim())) throw unreadable("its first line is not like TRT-8601-EntropyCalibration2");
  const ranges = new Map<string, ClipRange>();
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const [, name, hex] = CACHE_LINE.exec(line) ?? [];
    if (name === undefined || hex === undefined) throw unreadable(`line ${i + 2} is not NAME: HEX`);
    const bound = floatOf(hex) * 127;
    if (!Number.isFinite(bound) || bound < 0) throw unreadable(`the scale of "${name}" is not a positive number`);
    ranges.set(name, { lo: -bound, hi: bound, bound });
  }
  return ranges;
}

function fromJson(text: string): GivenRanges {
  const json = objectOf(parsed(text));
  // Ours has the ranges by name under `tensors`, ONNX Runtime's under `data`, and its oldest form nothing above the names.
  const entries = Object.entries(objectOf(json.tensors ?? json.data ?? json));
  const ranges = new Map<string, ClipRange>();
  for (const [name, value] of entries) {
    const entry = objectOf(value);
    const [low, high] = [numberOf(entry.lo ?? entry.lowest), numberOf(entry.hi ?? entry.highest)];
    if (low === undefined || high === undefined || low > high) throw unreadable(`the range of "${name}" is no range`);
    // A quantizer must hold zero.
    const [lo, hi] = [Math.min(0, low), Math.max(0, high)];
    ranges.set(name, { lo, hi, bound: numberOf(entry.bound) ?? Math.max(-lo, hi) });
  }
  return ranges;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable("it is no JSON");
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** A finite number; also as numpy's array of one element, or a list of one. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (Array.isArray(value)) return value.length === 1 ? numberOf(value[0]) : undefined;
  const { data } = objectOf(value);
  return data === undefined ? undefined : numberOf(data);
}

function unreadable(why: string): CalibrationError {
  return new CalibrationError(
    "bad-table",
    `the calibration table cannot be read: ${why}`,
    "Give a TensorRT calibration cache, the calibration.json of ONNX Runtime's quantization tools, or the calibration.json of an export.",
  );
}

const bits = new DataView(new ArrayBuffer(4));

function bitsOf(x: number): string {
  bits.setFloat32(0, x);
  return bits.getUint32(0).toString(16).padStart(8, "0");
}

function floatOf(hex: string): number {
  bits.setUint32(0, Number.parseInt(hex, 16));
  return bits.getFloat32(0);
}
