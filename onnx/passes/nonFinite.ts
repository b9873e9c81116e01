/** Where a model's numbers end: a NaN or an infinity in an output makes every comparison with it meaningless. */
import type { HostTensors } from "../ir/hostTensor.ts";
import { allFinite } from "../kernels/allFinite.ts";

export const NON_FINITE_FIX =
  "Check the preprocessing (scale, mean, std, colour order) against what the model was trained with; if it is right, the model itself overflows on this input: leave the input out.";

/** Name of the first tensor that holds a NaN or an infinity. */
export function nonFiniteName(tensors: HostTensors): string | undefined {
  return Object.keys(tensors).find((name) => {
    const data = tensors[name]?.data;
    return data instanceof Float32Array && !allFinite(data);
  });
}
