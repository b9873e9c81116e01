/** The nearest result of a kind at or above a node, breadth first along its wires. Pure. */
import type { PortKind } from "../../nodes/ports.ts";
import { type PipelineDoc, parseEndpoint } from "../../pipelines/document/doc.ts";
import type { RunState } from "../../pipelines/document/reduceRun.ts";

export interface Result {
  readonly kind: PortKind;
  readonly digest: string;
  readonly size: number;
}

export function nearestResult(
  doc: PipelineDoc | undefined,
  run: RunState,
  id: string,
  kind: PortKind,
): Result | undefined {
  if (!doc) return undefined;
  const seen = new Set([id]);
  let layer = [id];
  while (layer.length > 0) {
    const next: string[] = [];
    for (const edge of doc.edges) {
      if (!layer.includes(parseEndpoint(edge.to).node)) continue;
      const from = parseEndpoint(edge.from);
      const output = run.steps[from.node]?.outputs[from.port];
      if (output?.kind === kind) return { kind, digest: output.digest, size: output.size ?? 0 };
      if (!seen.has(from.node)) next.push(from.node);
      seen.add(from.node);
    }
    layer = next;
  }
  return undefined;
}
