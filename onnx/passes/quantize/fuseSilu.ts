/**
 * x * Sigmoid(x) -> QuickGelu(x, alpha = 1), of ONNX Runtime's own operators.
 *
 * The runtime makes this of the float pair by itself, in one loop over the tensor. Behind integers it cannot: it gives
 * each reader a DequantizeLinear of its own, and then no longer sees that both read the same x.
 */
import type { Model, Node } from "../../ir/graph.ts";

/** Fuses each pair that reads a dequantized tensor. */
export function fuseDequantizedSilu(model: Model): void {
  const { graph } = model;
  for (const node of [...graph.nodes]) {
    const gate = node.opType === "Mul" ? gateOf(node) : undefined;
    const x = gate?.input(0);
    if (!gate || x?.producer?.opType !== "DequantizeLinear") continue;
    const out = node.output();
    node.setOutput(0, null);
    const spec = { opType: "QuickGelu", domain: "com.microsoft", name: node.name, inputs: [x], outputs: [out] };
    graph.addNode({ ...spec, attributes: { alpha: { float: 1 } } }, node);
    graph.removeNode(node);
    graph.removeNode(gate);
    model.opsetImports.set("com.microsoft", 1);
  }
}

/** The Sigmoid of a Mul's other factor, read by nothing else. */
function gateOf({ inputs }: Node): Node | undefined {
  return inputs
    .map((value, i) => ({ gate: value?.producer, factor: inputs[1 - i] }))
    .find(
      ({ gate, factor }) =>
        gate?.opType === "Sigmoid" &&
        gate.input(0) === factor &&
        gate.output().uses.length === 1 &&
        !gate.output().isGraphOutput,
    )?.gate;
}
