/**
 * Inputs with a default that callers may override (IR version 4 and later), told from weights that exporters of an older
 * habit list as inputs: those list every initializer, the weights of layers among them.
 */
import type { Graph, Model, Node, Value } from "../ir/graph.ts";

/** Operators whose second input is what was trained. */
const LAYERS = ["Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "LSTM", "GRU", "RNN"];
const IR_WITH_DEFAULTS = 4;

export function optionalInputs({ graph, irVersion }: Model): readonly Value[] {
  if (irVersion < IR_WITH_DEFAULTS) return [];
  const listed = graph.inputs.filter((value) => value.initializer);
  const every = graph.initializers.every((value) => value.isGraphInput);
  return every && graph.nodes.some(hasListedWeight) ? [] : listed;
}

function hasListedWeight({ opType, inputs }: Node): boolean {
  return LAYERS.includes(opType) && inputs.slice(1).some((value) => value?.initializer && value.isGraphInput);
}

/** While `work` runs these are inputs like others, so that nothing takes a default for a constant. */
export async function withoutDefaults<T>(values: readonly Value[], work: () => Promise<T>): Promise<T> {
  const defaults = values.map((value) => ({ value, initializer: value.initializer }));
  for (const { value } of defaults) value.initializer = undefined;
  try {
    return await work();
  } finally {
    for (const { value, initializer } of defaults) value.initializer = initializer;
  }
}

/** Every other initializer becomes a constant that nobody can override; returns how many there were. */
export function fixOtherInitializers(graph: Graph, optional: readonly Value[] = []): number {
  const fixed = graph.inputs.filter((value) => value.initializer && !optional.includes(value));
  for (const value of fixed) graph.unlistInput(value);
  return fixed.length;
}
