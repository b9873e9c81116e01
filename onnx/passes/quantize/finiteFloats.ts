/** Weights to be quantized: one NaN or infinity among them would make a whole channel's scale one, and nobody would see. */
import type { Tensor } from "../../ir/tensor.ts";
import { allFinite } from "../../kernels/allFinite.ts";
import { QuantizeError } from "./quantizeError.ts";

/** Throws `QuantizeError` where a weight of the node is not finite. */
export async function finiteFloats(weight: Tensor, node: string): Promise<Float32Array> {
  const values = await weight.floats();
  if (allFinite(values)) return values;
  throw weightNotFinite(node);
}

export function weightNotFinite(node: string): QuantizeError {
  return new QuantizeError(
    "weight-not-finite",
    `a weight of "${node}" is a NaN or an infinity`,
    "Export the model again from a checkpoint that is whole, or keep the node in float (keepFloat).",
  );
}
