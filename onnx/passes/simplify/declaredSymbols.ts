/**
 * Names that a file gives to open dimensions. An exporter writes them by hand: two dimensions of one name may differ, and
 * runtimes do not mind. Only the names of the inputs' dimensions are believed; all others follow from those or are
 * forgotten, so that no Slice or Reshape counts as doing nothing because its result was called as its input.
 */
import type { Graph, Model, Shape, TensorType } from "../../ir/graph.ts";

/** Forgets them everywhere but in the model's inputs; the function returned names the outputs' dimensions again. */
export function forgetDeclaredSymbols({ graph }: Model): () => void {
  const outputs = graph.outputs.map(({ type }) => type);
  forget(graph);
  return () => {
    for (const [i, value] of graph.outputs.entries()) value.type = named(value.type, outputs[i]);
  };
}

function forget(graph: Graph): void {
  for (const value of graph.values.values()) {
    const { type } = value;
    const believed = value.initializer || (value.isGraphInput && !graph.parent);
    if (believed || !type?.shape?.some((dim) => typeof dim === "string")) continue;
    value.type = { ...type, shape: type.shape.map((dim) => (typeof dim === "string" ? null : dim)) };
  }
  for (const node of graph.nodes) for (const body of node.subgraphs) forget(body);
}

function named(type: TensorType | undefined, declared: TensorType | undefined): TensorType | undefined {
  if (!type?.shape || type.shape.length !== declared?.shape?.length) return type ?? declared;
  const names: Shape = declared.shape;
  return { ...type, shape: type.shape.map((dim, i) => dim ?? names[i] ?? null) };
}
