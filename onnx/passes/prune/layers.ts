/** The layers whose weights pruning judges and repairs: products with a constant f32 weight. */
import { DataType } from "../../ir/dataType.ts";
import type { Graph, Node, Value } from "../../ir/graph.ts";

export interface Layer {
  readonly node: Node;
  readonly x: Value;
  readonly weight: Value;
  readonly y: Value;
  /** Axis of the weight that meets the channels of `x`; undefined for depthwise, where channels do not mix. */
  readonly inAxis: number | undefined;
  readonly outAxis: number;
  /** Axis of the channels in `x` and in `y`. */
  readonly xAxis: number;
  readonly yAxis: number;
}

/** Undefined where the node is no such layer. */
export function layerOf(node: Node): Layer | undefined {
  if (node.domain !== "" && node.domain !== "ai.onnx") return undefined;
  const [x, weight] = node.inputs;
  const y = node.outputs[0];
  if (!x || !y || weight?.initializer?.dataType !== DataType.FLOAT || x.initializer) return undefined;
  const rank = x.shape?.length ?? 0;
  const found = { node, x, weight, y };
  const group = node.int("group") ?? 1;
  switch (node.opType) {
    case "Conv":
      return { ...found, inAxis: weight.shape?.[1] === 1 && group > 1 ? undefined : 1, outAxis: 0, xAxis: 1, yAxis: 1 };
    case "ConvTranspose":
      return { ...found, inAxis: weight.shape?.[0] === group ? undefined : 0, outAxis: 1, xAxis: 1, yAxis: 1 };
    case "Gemm": {
      const out = node.int("transB") === 1 ? 0 : 1;
      return { ...found, inAxis: 1 - out, outAxis: out, xAxis: node.int("transA") === 1 ? 0 : 1, yAxis: 1 };
    }
    case "MatMul": {
      if (weight.shape?.length !== 2) return undefined;
      return { ...found, inAxis: 0, outAxis: 1, xAxis: rank - 1, yAxis: (y.shape?.length ?? 1) - 1 };
    }
    default:
      return undefined;
  }
}

export function layersOf(graph: Graph): readonly Layer[] {
  return graph.nodes.map(layerOf).filter((layer) => layer !== undefined);
}
