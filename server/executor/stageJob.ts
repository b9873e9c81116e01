/** What a stage's process is told to do: the nodes that miss and, before them, what must make its streams again. */
import type { SourceFile } from "../../nodes/context.ts";
import type { ArtifactRef } from "../../nodes/ports.ts";
import type { PlannedInput, PlannedNode } from "./plan.ts";
import type { Binding, StageNode } from "./protocol.ts";

export interface KnownNode {
  readonly node: PlannedNode;
  readonly key?: string;
  readonly sources: Readonly<Record<string, readonly SourceFile[]>>;
  /** Artifacts by port, kept streams among them, as far as they are known. */
  readonly outputs: Readonly<Record<string, ArtifactRef>>;
}

/** Topological. `known` gives a node by id. */
export function stageNodes(missed: readonly KnownNode[], known: (id: string) => KnownNode): StageNode[] {
  const job = new Map<string, StageNode>();
  const add = (state: KnownNode): void => {
    const { id, def, params, replayable, keeps, inputs } = state.node;
    if (job.has(id)) return;
    const runs = missed.includes(state);
    const bindings: Record<string, Binding[]> = {};
    for (const [port, list] of Object.entries(inputs)) bindings[port] = list.flatMap(bind);
    const role = !runs ? "replay" : replayable ? "probe" : "run";
    const keep = runs ? keeps : [];
    const key = state.key !== undefined && { key: state.key };
    job.set(id, { id, type: def.type, ...key, params, inputs: bindings, sources: state.sources, role, keep });
  };
  const bind = (input: PlannedInput): Binding[] => {
    const from = known(input.node);
    const ref = from.outputs[input.port];
    if (ref) return [input.stream ? { from: "kept", ref } : { from: "artifact", ref }];
    // An artifact that its maker left out leaves an optional input unset.
    if (!input.stream) return [];
    add(from);
    return [{ from: "stream", node: input.node, port: input.port }];
  };
  for (const state of missed) add(state);
  return [...job.values()];
}
