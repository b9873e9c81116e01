/**
 * The fastest float form of a model: simplified, and with the rewrites for one runtime that measure faster there. Every
 * rewrite is exact, so that only time decides.
 */
import { cloneModel } from "../../cloneModel.ts";
import { inferShapes } from "../../infer.ts";
import type { Model } from "../../ir/graph.ts";
import { nodeName } from "../quantize/layers.ts";
import type { LayoutName } from "../quantize/layout.ts";
import type { MeasuringContext } from "../quantize/outputReference.ts";
import { prepareForQuantization } from "../quantize/prepare.ts";
import { simplify } from "../simplify/simplify.ts";
import { alignChannels } from "./alignChannels.ts";
import { flattenSoftmax } from "./flatSoftmax.ts";

export interface RewriteTried {
  readonly rewrite: string;
  /** Places in the graph. */
  readonly count: number;
  /** Of the time before it. */
  readonly speedup: number;
  readonly kept: boolean;
}

const rewrites: readonly { name: string; apply: (model: Model) => Promise<number> }[] = [
  { name: "align-channels", apply: ({ graph }) => alignChannels(graph) },
  { name: "flatten-softmax", apply: ({ graph }) => flattenSoftmax(graph) },
];

/** What measures this much faster is faster. */
const FASTER = 1.01;

/** Simplified and prepared for quantization; every node has a name of its own. */
export async function prepareForPlacement(model: Model, { evaluator, signal }: MeasuringContext): Promise<void> {
  await prepareForQuantization(model, { evaluator, ...(signal && { signal }) });
  await simplify().run(model, { evaluator, ...(signal && { signal }) });
  inferShapes(model);
  nameNodes(model);
}

export interface TunedFloat {
  readonly model: Model;
  readonly tried: readonly RewriteTried[];
  /** Of the nodes of every form tried: another run, whose times fall out otherwise, may keep another. */
  readonly names: ReadonlySet<string>;
}

/** `model` as `prepareForPlacement` leaves it. */
export async function tuneFloat(
  model: Model,
  layout: LayoutName,
  time: (models: readonly Model[]) => Promise<readonly number[]>,
): Promise<TunedFloat> {
  const tried: RewriteTried[] = [];
  const names = new Set(model.graph.nodes.map(nodeName));
  let best = model;
  for (const { name, apply } of layout === "onnxruntime-x86" ? rewrites : []) {
    const candidate = cloneModel(best);
    const count = await apply(candidate);
    if (count === 0) continue;
    nameNodes(candidate);
    for (const node of candidate.graph.nodes) names.add(nodeName(node));
    const [before = 1, after = 1] = await time([best, candidate]);
    const kept = before / after >= FASTER;
    tried.push({ rewrite: name, count, speedup: before / after, kept });
    if (kept) best = candidate;
  }
  return { model: best, tried, names };
}

/** Reports and placements name nodes: where one has no name, or another's, it gets that of what it writes. */
function nameNodes({ graph }: Model): void {
  const taken = new Set<string>();
  for (const node of graph.nodes) {
    if (taken.has(nodeName(node))) node.name = node.outputs.find((out) => out)?.name ?? "";
    node.name = nodeName(node);
    taken.add(node.name);
  }
}
