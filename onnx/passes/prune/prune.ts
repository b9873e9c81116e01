/**
 * Structured pruning: takes whole channels out of a model until a share of its multiply-accumulates is left, and, where
 * calibration items are at hand, refits the layers behind to what the original computed.
 */

import { cloneModel } from "../../cloneModel.ts";
import type { Evaluator } from "../../evaluator.ts";
import { inferShapes } from "../../infer.ts";
import type { Model, Value } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { type Pass, type PassContext, runPasses } from "../pass.ts";
import { foldShapes } from "../simplify/constantFolding.ts";
import { dropDeadNodes } from "../simplify/deadNodes.ts";
import { constantsToInitializers, inputsToConstants } from "../simplify/initializers.ts";
import { constantReshapeTargets } from "../simplify/shapes.ts";
import { simplify } from "../simplify/simplify.ts";
import type { Worth } from "./costs.ts";
import { cutUnits, type Remainder } from "./cut.ts";
import { extract } from "./extract.ts";
import { type PinnedAxis, type PruneGroup, solveDependencies } from "./groups.ts";
import { magnitudeScores } from "./importance.ts";
import { type GroupPlan, type Plan, planCut, type RankedGroup } from "./plan.ts";
import { PruneRefusal } from "./pruneRefusal.ts";
import { type RepairedLayer, repair } from "./repair.ts";
import { measureLosses } from "./sensitivity.ts";

export type Importance = "l1" | "l2" | "energy";

export interface PruneOptions {
  /** Share of the multiply-accumulates to keep, above 0, at most 1; of the predicted time where `predict` is given. */
  readonly keep: number;
  readonly importance: Importance;
  /** Where channels go: wherever they cost least, or from every layer alike. */
  readonly scope: "global" | "layer";
  /** Channels left are a multiple of this where they can be. */
  readonly multiple: number;
  /** Refit the layers behind what was taken out. */
  readonly repair: boolean;
  /** Inputs of the model to measure on; needed for `energy` and for repair. */
  readonly items: readonly HostTensors[];
  /** How long a model takes on the device that it is pruned for. */
  readonly predict?: (model: Model) => Prediction;
}

export interface Prediction {
  readonly ms: number;
  /** Milliseconds that a multiply-accumulate of a node takes; 0 where its time does not depend on them. */
  readonly worth: Worth;
}

/** A constant that lost channels: what a training framework needs to lose the same. */
export interface CutConstant {
  readonly name: string;
  /** Before. */
  readonly shape: readonly number[];
  /** Nodes that read it. */
  readonly nodes: readonly string[];
  /** What is left of each axis that lost some, as indices into the original. */
  readonly kept: Readonly<Record<number, readonly number[]>>;
}

export interface PruneOutcome {
  readonly groups: readonly GroupPlan[];
  /** Layers whose output channels stay, with the reason. */
  readonly pinned: readonly PinnedAxis[];
  readonly macsBefore: number;
  readonly macsAfter: number;
  readonly repaired: readonly RepairedLayer[];
  readonly constants: readonly CutConstant[];
}

/** Constants in one form and no sizes computed at run time: what couplings are read from. */
export const prepareForPruning = simplify([
  constantsToInitializers,
  inputsToConstants,
  foldShapes,
  constantReshapeTargets,
  dropDeadNodes,
]);

/** Changes the model in place. Throws `PruneRefusal` where nothing can be pruned. */
export async function pruneChannels(model: Model, options: PruneOptions, ctx: PassContext): Promise<PruneOutcome> {
  await runPasses(model, [prepareForPruning], ctx);
  inferShapes(model);
  const { groups, pinned } = solveDependencies(model);
  if (groups.length === 0) throw nothingToPrune(pinned);
  const ranked = await rankGroups(model, groups, options, ctx);
  const plan = await planFor(model, ranked, options);
  const removed = plan.groups.flatMap((group) => group.removed);
  const original = extract(
    model,
    model.graph.outputs.map((value) => value.name),
  );
  let repaired: readonly RepairedLayer[] = [];
  let constants: readonly CutConstant[] = [];
  const kept = new Map<string, ReadonlyMap<number, readonly number[]>>();
  const cutAndRepair: Pass = {
    name: "prune",
    async run() {
      const shapes = new Map([...model.graph.values.values()].map((value) => [value, value.initializer?.dims]));
      const rest = await cutUnits(model, removed);
      constants = cutConstants(rest, shapes);
      for (const value of rest.values) kept.set(value.name, rest.axes(value));
      if (options.repair && removed.length > 0) {
        const indices = (name: string, axis: number) => kept.get(name)?.get(axis);
        const { items } = options;
        repaired = await repair(original, model, { evaluator: evaluatorOf(ctx), items, kept: indices }, ctx);
      }
      return { applied: { "remove-units": removed.length, "refit-layers": repaired.length }, notes: [] };
    },
  };
  await runPasses(model, [cutAndRepair], ctx);
  return { groups: plan.groups, pinned, macsBefore: plan.macsBefore, macsAfter: plan.macsAfter, repaired, constants };
}

function nothingToPrune(pinned: readonly PinnedAxis[]): PruneRefusal {
  const [first] = pinned;
  const why = first ? `${first.reason} ("${first.node}")` : "it has no layer with constant weights";
  return new PruneRefusal(
    "nothing-to-prune",
    `no channel of this model can be taken out: ${why}`,
    first ? STAYS_FIX : "Run simplify first, so that weights are constants, or leave pruning out.",
  );
}

const STAYS_FIX =
  "Take another method (blocks, low-rank, unstructured), or leave pruning out; where a size is unknown, freeze it in load-model.";

function cutConstants(
  rest: Remainder,
  shapes: ReadonlyMap<Value, readonly number[] | undefined>,
): readonly CutConstant[] {
  return [...rest.values].flatMap((value) => {
    const shape = shapes.get(value);
    if (!shape) return [];
    const nodes = value.uses.map(({ node }) => node.name || node.output().name);
    return [{ name: value.name, shape, nodes, kept: Object.fromEntries(rest.axes(value)) }];
  });
}

/** Between two shares that differ by less, the plan hardly does. */
const SHARE_STEP = 0.01;

/** With a time to meet: the largest share of the work whose model is predicted to take no longer. */
async function planFor(model: Model, ranked: readonly RankedGroup[], options: PruneOptions): Promise<Plan> {
  const { keep, predict } = options;
  if (!predict) return planCut(model.graph, ranked, { ...options, macs: keep });
  const before = predict(model);
  const { worth } = before;
  const planAt = (macs: number) => planCut(model.graph, ranked, { ...options, macs, worth });
  const least = predict(await cutCopy(model, planAt(0))).ms / before.ms;
  if (least > keep) {
    throw new PruneRefusal(
      "latency-out-of-reach",
      `with hardly a channel left the model is still predicted to take ${Math.ceil(100 * least)} % of its time`,
      "Ask for less, or take out whole blocks: what is left is the time to start each operator.",
    );
  }
  let [low, high] = [0, 1];
  while (high - low > SHARE_STEP) {
    const share = (low + high) / 2;
    if (predict(await cutCopy(model, planAt(share))).ms <= keep * before.ms) low = share;
    else high = share;
  }
  return planAt(low);
}

/** The model as a plan leaves it, not repaired; the original stays as it is. */
async function cutCopy(model: Model, plan: Plan): Promise<Model> {
  const copy = cloneModel(model);
  const twin = (value: Value) => copy.graph.values.get(value.name) ?? value;
  const removed = plan.groups.flatMap((group) => group.removed);
  await cutUnits(
    copy,
    removed.map((unit) => unit.map(({ axis, indices }) => ({ axis: { ...axis, value: twin(axis.value) }, indices }))),
  );
  return copy;
}

/** With items at hand, what the outputs lose with each group is measured. */
async function rankGroups(
  model: Model,
  groups: readonly PruneGroup[],
  options: PruneOptions,
  ctx: PassContext,
): Promise<readonly RankedGroup[]> {
  const { items, importance, multiple, repair: refit } = options;
  if (importance !== "energy") return magnitudeScores(groups, importance);
  return measureLosses(model, groups, { evaluator: evaluatorOf(ctx), items, multiple, refit }, ctx);
}

export function evaluatorOf(ctx: PassContext): Evaluator {
  if (ctx.evaluator) return ctx.evaluator;
  throw new PruneRefusal("no-evaluator", "measuring activations needs a runtime", "Run this where onnxruntime is.");
}
