/**
 * Latency and memory of a model on a device that is not at hand, worked out in this tab: choosing another target answers
 * at once. Loaded when first needed, since it reads ONNX.
 */
import { type ModelCost, modelCost } from "../../onnx/cost.ts";
import { inferShapes } from "../../onnx/infer.ts";
import { memorySource } from "../../onnx/ir/tensor.ts";
import { readModel } from "../../onnx/serde.ts";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";
import { estimateLatency, estimateMemory, NoEstimateError } from "../../targets/latency.ts";
import type { Value } from "./figures.ts";

export async function costOf(bytes: Uint8Array): Promise<ModelCost> {
  const model = await readModel(memorySource(bytes));
  inferShapes(model);
  return modelCost(model);
}

export interface Prediction {
  /** Absent where the latency model has no figures for the device's runtime. */
  readonly latency: Value | undefined;
  /** Weights and the most activations alive at once; the runtime's own memory comes on top. */
  readonly modelBytes: number | undefined;
}

export function predict(cost: ModelCost, target: DeviceProfile): Prediction {
  const modelBytes = estimateMemory(cost, target).totalBytes;
  try {
    const { p50Ms, interval } = estimateLatency(cost, target);
    return { latency: { value: p50Ms, provenance: "estimated", interval }, modelBytes };
  } catch (error) {
    if (error instanceof NoEstimateError) return { latency: undefined, modelBytes };
    throw error;
  }
}
