/** X'X of what each layer multiplies, in groups of layers, so that memory stays bounded however many there are. */
import { accumulate, newNormalEquations } from "../../kernels/leastSquares.ts";
import { transposedMatrix } from "../../kernels/quantizeWeights.ts";
import type { LayerInputs } from "./layerInputs.ts";
import type { Layer } from "./layers.ts";

/** Memory for the matrices of a group. */
const GROUP_BYTES = 2 ** 28;

export interface LayerGram {
  readonly layer: Layer;
  /** Columns x columns, its lower triangle; undefined where the layer is no plain product, or too wide. */
  readonly gram: Float64Array | undefined;
}

/** The layers in order, each with its matrix. */
export async function* layerGrams(layers: readonly Layer[], inputs: LayerInputs): AsyncGenerator<LayerGram> {
  for (const group of groupsOf(layers)) {
    const sizes = new Map(group.filter(isProduct).map(({ input, view }) => [input.name, view.inputs]));
    const grams = await gramsOf(sizes, inputs);
    for (const layer of group) yield { layer, gram: isProduct(layer) ? grams.get(layer.input.name) : undefined };
  }
}

function isProduct({ node, view }: Layer): boolean {
  return node.opType === "MatMul" && view.groups === 1 && view.taps === 1 && bytesOf(view.inputs) <= GROUP_BYTES;
}

function bytesOf(columns: number): number {
  return 8 * columns * columns;
}

function* groupsOf(layers: readonly Layer[]): Generator<readonly Layer[]> {
  let group: Layer[] = [];
  let names = new Map<string, number>();
  for (const layer of layers) {
    const more = new Map(names);
    if (isProduct(layer)) more.set(layer.input.name, bytesOf(layer.view.inputs));
    if (group.length > 0 && [...more.values()].reduce((a, b) => a + b, 0) > GROUP_BYTES) {
      yield group;
      [group, names] = [[], new Map(isProduct(layer) ? [[layer.input.name, bytesOf(layer.view.inputs)]] : [])];
    } else names = more;
    group.push(layer);
  }
  if (group.length > 0) yield group;
}

async function gramsOf(sizes: ReadonlyMap<string, number>, inputs: LayerInputs): Promise<Map<string, Float64Array>> {
  const rows = new Map<string, Float32Array[]>();
  if (sizes.size > 0) {
    await inputs.each([...sizes.keys()], (name, samples, columns) => {
      if (columns === sizes.get(name)) rows.set(name, [...(rows.get(name) ?? []), samples.slice()]);
    });
  }
  const grams = new Map<string, Float64Array>();
  for (const [name, parts] of rows) {
    const columns = sizes.get(name) ?? 0;
    const joined = joinedRows(parts);
    const equations = newNormalEquations(columns, 0);
    const count = joined.length / columns;
    accumulate(equations, transposedMatrix(joined, count, columns), new Float32Array(), count);
    grams.set(name, equations.gram);
  }
  return grams;
}

function joinedRows(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
