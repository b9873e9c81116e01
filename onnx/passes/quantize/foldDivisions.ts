/**
 * A Mul that only a quantizer reads, by one number a channel, becomes the quantizer's own scales:
 *
 *   Mul(x, 1 / f) -> QuantizeLinear(s) -> DequantizeLinear(s)   ->   QuantizeLinear(s f, by channel) -> DequantizeLinear(s)
 *
 * ONNX Runtime goes by the DequantizeLinear before an integer operator, whose one scale stays, and fuses it as before:
 * the division costs nothing. TensorRT wants one scale on both sides, and keeps the Mul.
 */
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { soleReader } from "./layers.ts";
import { dropUnread } from "./replaceConstant.ts";

/** Returns how many were folded. */
export async function foldDivisions(graph: Graph): Promise<number> {
  let count = 0;
  for (const node of [...graph.nodes]) if (node.opType === "Mul" && (await fold(node))) count++;
  return count;
}

async function fold(mul: Node): Promise<boolean> {
  const [value, by] = mul.inputs;
  const quantizer = soleReader(mul.output());
  const [scale, zeroPoint] = [quantizer?.inputs[1]?.constant, quantizer?.inputs[2]?.constant];
  if (!value || !by?.constant || quantizer?.opType !== "QuantizeLinear" || !scale || !zeroPoint) return false;
  if (joinsIntegers(value)) return false;
  const { dims } = by.constant;
  const [channels = 0, ...trailing] = dims;
  if (dims.length === 0 || trailing.some((dim) => dim !== 1) || scale.dims.length > 0) return false;
  const [step = 1] = await scale.floats();
  const scales = Float32Array.from(await by.constant.floats(), (b) => step / b);
  const integer = (await zeroPoint.bytes())[0] ?? 0;
  const { graph } = mul;
  quantizer.setInput(0, value);
  quantizer.setInput(1, graph.addInitializer(`${value.name}_scales`, Tensor.f32([channels], scales)));
  const same = Tensor.of(zeroPoint.dataType, [channels], new Uint8Array(channels).fill(integer));
  quantizer.setInput(2, graph.addInitializer(`${value.name}_zero_points`, same));
  quantizer.set("axis", dims.length === 1 ? -1 : 1);
  graph.removeNode(mul);
  dropUnread(by);
  return true;
}

/** Written from integers alone: the runtime makes one integer operator of it and the quantizer, which has one scale. */
function joinsIntegers({ producer }: Value): boolean {
  const inputs = producer?.inputs.filter((input) => input !== null) ?? [];
  return inputs.length > 0 && inputs.every((input) => input.producer?.opType === "DequantizeLinear");
}
