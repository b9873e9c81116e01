/** The mean of a sequence's vectors: how a sentence encoder's output becomes one embedding. */
import { elementCount } from "../../onnx/ir/tensor.ts";
import { UserError } from "../context.ts";

export interface Numbers {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * [batch, length, width] to [batch, width], each position weighted by `mask` [batch, length]; without one all count
 * alike. Another rank stays as it is. Throws `mask-shape` where the mask is of another size.
 */
export function meanPooled({ dims, data }: Numbers, mask: Numbers | undefined): Numbers {
  const [batch = 0, length = 0, width = 0] = dims;
  if (dims.length !== 3 || length === 0) return { dims, data };
  if (mask && elementCount(mask.dims) !== batch * length) {
    throw new UserError(
      "mask-shape",
      `attention_mask is [${mask.dims.join(",")}], but the output [${dims.join(",")}].`,
      "Wire the tensors that both models were fed into inputs.",
    );
  }
  const pooled = new Float64Array(batch * width);
  for (let b = 0; b < batch; b++) {
    let total = 0;
    for (let p = 0; p < length; p++) {
      const weight = mask ? (mask.data[b * length + p] ?? 0) : 1;
      total += weight;
      for (let c = 0; c < width; c++) {
        const at = b * width + c;
        pooled[at] = (pooled[at] ?? 0) + weight * (data[(b * length + p) * width + c] ?? 0);
      }
    }
    for (let at = b * width; at < (b + 1) * width; at++) pooled[at] = total === 0 ? 0 : (pooled[at] ?? 0) / total;
  }
  return { dims: [batch, width], data: pooled };
}
