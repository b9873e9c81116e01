/**
 * Repair in closed form: after channels have left, each layer behind is refitted to what the original model computed
 * there, in topological order, so that a layer is fitted to inputs that are repaired already. No labels, no gradients.
 */
import type { Evaluator } from "../../evaluator.ts";
import type { Graph, Model, Value } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import type { PassContext } from "../pass.ts";
import { GramProducts } from "./gramProducts.ts";
import { type Layer, layersOf } from "./layers.ts";
import { LayerFit, layerShape } from "./refit.ts";
import { StepwiseRun } from "./stepwiseRun.ts";

export interface RepairOptions {
  readonly evaluator: Evaluator;
  readonly items: readonly HostTensors[];
  /** Channels of a value's axis in the original model that are left; undefined where all are. */
  readonly kept?: (value: string, axis: number) => readonly number[] | undefined;
  /** Names of values that are computed in another way than in the original. */
  readonly changed?: ReadonlySet<string>;
}

export interface RepairedLayer {
  readonly node: string;
  /** Squared error at the layer's output that is left, as a share of what it was before the refit. */
  readonly errorLeft: number;
}

/** Share of the mean diagonal of the Gram matrix that is added to it. */
const RIDGE = 1e-3;
/** Rows sampled for each unknown of a regression, and at least, over all items. */
const ROWS_PER_UNKNOWN = 12;
const MIN_ROWS = 4096;

/** `original` is the model before channels left, with the same names. Changes `pruned` in place. */
export async function repair(
  original: Model,
  pruned: Model,
  options: RepairOptions,
  ctx: PassContext,
): Promise<readonly RepairedLayer[]> {
  const repaired: RepairedLayer[] = [];
  const layers = layersBehind(pruned.graph, options).filter(({ y }) => original.graph.values.has(y.name));
  const { evaluator, items } = options;
  const runs = {
    target: new StepwiseRun(original, items, evaluator),
    source: new StepwiseRun(pruned, items, evaluator),
  };
  await using products = await GramProducts.open(evaluator);
  for (const [i, layer] of layers.entries()) {
    ctx.signal?.throwIfAborted();
    const fit = fitOf(layer, options);
    if (!fit) continue;
    await gather(fit, runs, products);
    const solution = await fit.solve(RIDGE);
    if (solution) {
      const { node, weight } = layer;
      node.setInput(1, node.graph.addInitializer(weight.name, solution.weight));
      if (solution.bias) node.setInput(2, node.graph.addInitializer(`${weight.name}_bias`, solution.bias));
      repaired.push({ node: nameOf(layer), errorLeft: solution.errorLeft });
    }
    ctx.progress?.(i + 1, layers.length, "layers", `repaired ${nameOf(layer)}`);
  }
  return repaired;
}

function nameOf(layer: Layer): string {
  return layer.node.name || layer.y.name;
}

/** Layers whose input differs from the original's: something in front of them, or they themselves, changed. */
function layersBehind(graph: Graph, { kept, changed }: RepairOptions): readonly Layer[] {
  const touched = new Set<Value>();
  const isTouched = (value: Value) =>
    touched.has(value) || value.shape?.some((_, axis) => kept?.(value.name, axis) !== undefined);
  for (const node of graph.nodes) {
    const isCut = node.inputs.some((value) => value && isTouched(value));
    for (const out of node.outputs) if (out && (isCut || changed?.has(out.name))) touched.add(out);
  }
  return layersOf(graph).filter((layer) => touched.has(layer.y) && touched.has(layer.x));
}

function fitOf(layer: Layer, { items, kept }: RepairOptions): LayerFit | undefined {
  const shape = layerShape(layer);
  if (!shape) return undefined;
  const count = shape.groups * shape.outputs;
  const channels = kept?.(layer.y.name, layer.yAxis) ?? Array.from({ length: count }, (_, i) => i);
  const unknowns = shape.inputs * shape.geometry.kernel[0] * shape.geometry.kernel[1] + 1;
  const rows = Math.max(MIN_ROWS, ROWS_PER_UNKNOWN * unknowns);
  return new LayerFit(layer, shape, channels, Math.ceil(rows / items.length));
}

/** Both models get as far as the layer on every item. */
async function gather(
  fit: LayerFit,
  { target, source }: { readonly target: StepwiseRun; readonly source: StepwiseRun },
  products: GramProducts,
): Promise<void> {
  const { layer } = fit;
  const inputs = await source.advance(layer.x.name);
  const outputs = await target.advance(layer.y.name);
  for (const [i, x] of inputs.entries()) {
    const y = outputs[i];
    if (y) await fit.add({ x, y }, i + 1, products);
  }
}
