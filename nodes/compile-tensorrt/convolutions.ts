/** In which precision a builder runs each convolution of the ONNX. */
import type { Graph, Node } from "../../onnx/ir/graph.ts";
import type { EngineLayer } from "../context.ts";

export interface ConvolutionCounts {
  /** Convolutions by the precision that the builder names: `{Int8: 70}`. */
  readonly byPrecision: Readonly<Record<string, number>>;
  /** Those that no layer names. */
  readonly unseen: number;
}

export function countConvolutions(graph: Graph, layers: readonly EngineLayer[]): ConvolutionCounts {
  const byOrigin = new Map<string, EngineLayer>();
  for (const layer of layers) {
    for (const origin of layer.origins) {
      // A node may leave traces in several layers (a copy, a cast): the one that convolves counts.
      if (!byOrigin.has(origin) || isConvolution(layer)) byOrigin.set(origin, layer);
    }
  }
  const byPrecision: Record<string, number> = {};
  let unseen = 0;
  for (const node of graph.nodes.filter(({ opType }) => opType === "Conv" || opType === "ConvTranspose")) {
    const precision = byOrigin.get(importedName(node))?.precision;
    if (precision) byPrecision[precision] = (byPrecision[precision] ?? 0) + 1;
    else unseen++;
  }
  return { byPrecision, unseen };
}

function isConvolution({ type }: EngineLayer): boolean {
  return /conv|correlation/i.test(type);
}

/** TensorRT's importer names a node without a name after its first output. */
function importedName(node: Node): string {
  return node.name || `node_of_${node.outputs[0]?.name ?? ""}`;
}
