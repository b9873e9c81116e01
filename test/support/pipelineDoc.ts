/** A small pipeline document of these nodes and wires. */
import type { PipelineDoc } from "../../pipelines/document/doc.ts";

type Nodes = PipelineDoc["nodes"];

export const docNode = (type: string, params: Nodes[string]["params"] = {}): Nodes[string] => ({
  type,
  version: 1,
  params,
  position: { x: 0, y: 0 },
});

export function pipelineDoc(nodes: Nodes, edges: PipelineDoc["edges"]): PipelineDoc {
  return { format: "edgewright.pipeline", version: 1, name: "p", target: "local-cpu", nodes, edges };
}
