import { describe, expect, it } from "vitest";
import { onnxruntimeTable, readRanges, tensorrtCache } from "./foreignTables.ts";
import type { CalibrationTable, TensorCalibration } from "./table.ts";

const tensor = (lo: number, hi: number): TensorCalibration => ({
  min: lo,
  max: hi,
  lo,
  hi,
  bound: Math.max(-lo, hi),
  clipped: 0,
  histogram: { low: 0, width: 0, counts: [] },
  channels: { mean: [], variance: [] },
  settledAfter: 1,
});
const table: CalibrationTable = {
  kind: "calibration",
  version: 1,
  method: "mse",
  images: 1,
  tensors: { "a: b/Conv_0": tensor(-1, 3.5), prob: tensor(0, 1) },
};

describe("calibration tables of other tools", () => {
  it("TensorRT's cache: the bits of the scale, and back", () => {
    const text = tensorrtCache(table);
    // As in NVIDIA's own example: prob: 3c010a14 is 0.0078759, 1.0002 over 127.
    expect(text).toBe("TRT-8601-EntropyCalibration2\na: b/Conv_0: 3ce1c387\nprob: 3c010204\n");
    const ranges = readRanges(text);
    expect(ranges.get("a: b/Conv_0")?.bound).toBeCloseTo(3.5, 5);
    expect(readRanges("TRT-7000-EntropyCalibration2\nprob: 3c010a14\n").get("prob")?.hi).toBeCloseTo(1.0002, 3);
  });

  it("ONNX Runtime's JSON: its MinMax arrays, its Entropy numbers, and back", () => {
    expect(readRanges(onnxruntimeTable(table)).get("a: b/Conv_0")).toEqual({ lo: -1, hi: 3.5, bound: 3.5 });
    const written = {
      CLS: "TensorsData",
      data: {
        y: { lowest: -2, highest: 4, hist: { data: [1, 2], dtype: "int64", CLS: "numpy.array" }, CLS: "TensorData" },
        z: {
          lowest: { data: 1, dtype: "float32", CLS: "numpy.array" },
          highest: { data: [2], dtype: "float32", CLS: "numpy.array" },
        },
      },
      calibration_method: { CLS: "CalibrationMethod", value: "CalibrationMethod.Entropy" },
    };
    const ranges = readRanges(JSON.stringify(written));
    expect(ranges.get("y")).toEqual({ lo: -2, hi: 4, bound: 4 });
    expect(ranges.get("z")).toEqual({ lo: 0, hi: 2, bound: 2 });
  });

  it("our own", () => {
    expect(readRanges(JSON.stringify(table)).get("prob")).toEqual({ lo: 0, hi: 1, bound: 1 });
  });

  it.each([
    ["no header", "conv1: 3c010a14"],
    ["a line that is none", "TRT-8601-EntropyCalibration2\nconv1 3c010a14"],
    ["an infinite scale", "TRT-8601-EntropyCalibration2\nconv1: 7f800000"],
    ["a negative scale", "TRT-8601-EntropyCalibration2\nconv1: bf800000"],
    ["broken JSON", '{"data": '],
    ["a range upside down", '{"data": {"y": {"lowest": 2, "highest": 1}}}'],
    ["no numbers", '{"data": {"y": {"lowest": "NaN", "highest": null}}}'],
    ["nothing", "TRT-8601-EntropyCalibration2\n"],
    ["no tensor", "{}"],
  ])("refuses %s, and says what is wanted", (_, text) => {
    expect(() => readRanges(text)).toThrow(
      expect.objectContaining({ code: "bad-table", fix: expect.stringMatching(/TensorRT/) }),
    );
  });
});
