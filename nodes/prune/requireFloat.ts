/** Integer weights have no channels that could be weighed or refitted: said by name, before anything else is tried. */
import type { Model } from "../../onnx/ir/graph.ts";
import { nodeLabel } from "../../onnx/verify.ts";
import { UserError } from "../context.ts";

/** QLinearConv, ConvInteger, MatMulNBits, QAttention, DynamicQuantizeLSTM, QuantizeLinear ...: their names say it. */
const INTEGER =
  /^(Q(Linear|Gemm|Attention|Embed|Ordered|Moe)|Quantize|Dequantize|DynamicQuantize)|(Integer|NBits|Bnb4|FpQ4|Quantized)$/;

/** Throws `already-quantized` with the first such node. */
export function requireFloat({ graph }: Model): void {
  const integer = graph.nodes.filter(({ opType }) => INTEGER.test(opType));
  const [first] = integer;
  if (!first) return;
  const more = integer.length > 1 ? `, and ${integer.length - 1} more` : "";
  throw new UserError(
    "already-quantized",
    `the model is quantized already: it has ${nodeLabel(first)}${more}`,
    "Prune before quantizing: wire the float model that it was made from into prune, and quantize what prune gives.",
  );
}
