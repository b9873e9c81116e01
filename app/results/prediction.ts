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

export type { ModelCost };

export async function costOf(bytes: Uint8Array): Promise<ModelCost> {
  const model = await readModel(memorySource(bytes));
  inferShapes(model);
  return modelCost(model);
}

export interface Prediction {
  readonly latency: Value | undefined;
  readonly memory: Value | undefined;
}

/** Absent where the latency model has no figures for the device's runtime. */
export function predict(cost: ModelCost, target: DeviceProfile): Prediction {
  try {
    const { p50Ms, interval } = estimateLatency(cost, target);
    const memory = estimateMemory(cost, target);
    return {
      latency: { value: p50Ms, provenance: "estimated", interval },
      memory: memoryValue(memory),
    };
  } catch (error) {
    if (error instanceof NoEstimateError) return { latency: undefined, memory: undefined };
    throw error;
  }
}
