/** What tests of quantization share: the plain options, and ranges from a few made-up inputs. */
import type { Model } from "../../onnx/ir/graph.ts";
import { Calibrator } from "../../onnx/passes/calibrate/calibrate.ts";
import type { CalibrationTable } from "../../onnx/passes/calibrate/table.ts";
import { createOrtEvaluator } from "../../server/runners/ortEvaluator.ts";
import { noiseTensor } from "./outputs.ts";

export const PLAIN = {
  layout: "onnxruntime-x86",
  keepFloat: [],
  minSqnrDb: 0,
  io: "float32",
  blockSize: 32,
} as const;

/** Min-max ranges over four inputs `x` of noise. */
export async function calibratedOnNoise(model: Model, dims: readonly number[]): Promise<CalibrationTable> {
  await using calibrator = await Calibrator.open(model, createOrtEvaluator({ tempDir: "/nowhere" }), { threads: 1 });
  for (let i = 0; i < 4; i++) await calibrator.observe({ x: noiseTensor(dims, i + 1) });
  return calibrator.finish("minmax").table;
}
