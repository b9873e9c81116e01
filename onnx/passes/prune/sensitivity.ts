/**
 * What the outputs lose when a group loses channels, measured: each group in turn gives up its least important units, the
 * layers that read them get the mean of what left in their bias, and the outputs are compared with the model's own.
 *
 * Importance tells channels of one group apart; this tells groups apart, which no figure of a single layer can: a layer
 * of little energy may carry what an output is about. An output's error counts relative to how much the output varies
 * from item to item, since what never changes (the score of the background) says nothing.
 */
import type { EvaluationSession, Evaluator } from "../../evaluator.ts";
import { inferShapes } from "../../infer.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { Tensor } from "../../ir/tensor.ts";
import { addSignalError } from "../../kernels/signalError.ts";
import { addVariation, newVariation, variationEnergy } from "../../kernels/variation.ts";
import type { PassContext } from "../pass.ts";
import { cutUnits, type Remainder } from "./cut.ts";
import { extract } from "./extract.ts";
import type { Unit } from "./groups.ts";
import { type Layer, layersOf } from "./layers.ts";
import { type RankedGroup, stepOf } from "./plan.ts";

export interface SensitivityOptions {
  readonly evaluator: Evaluator;
  readonly items: readonly HostTensors[];
  readonly multiple: number;
  /** Mean of each channel of a value that layers read. */
  readonly means: ReadonlyMap<string, Float64Array>;
}

/** Shares of a group's units that are given up in its trials. */
const TRIALS = [0.25, 0.5, 0.75, 0.94];
/** More items order the groups no better. */
const TRIAL_ITEMS = 12;

/** The same order of units with the loss measured at the outputs. */
export async function measureLosses(
  model: Model,
  ranked: readonly RankedGroup[],
  options: SensitivityOptions,
  ctx: PassContext,
): Promise<RankedGroup[]> {
  const items = options.items.slice(0, TRIAL_ITEMS);
  const reference = await referenceOf(model, items, options.evaluator);
  const measured: RankedGroup[] = [];
  for (const entry of ranked) {
    const points = [{ units: 0, error: 0 }];
    for (const units of trialSizes(entry, options.multiple)) {
      ctx.signal?.throwIfAborted();
      const error = await trial(model, entry.order.slice(0, units), { ...options, items, reference });
      points.push({ units, error: Math.max(error, points.at(-1)?.error ?? 0) });
    }
    measured.push({ ...entry, loss: between(points, entry.loss) });
    ctx.progress?.(measured.length, ranked.length, "groups", `tried ${entry.group.name}`);
  }
  return measured;
}

/** Whole steps, at least one, never all. */
function trialSizes({ group, order }: RankedGroup, multiple: number): readonly number[] {
  const step = stepOf(group, multiple);
  const steps = Math.ceil(order.length / step) - 1;
  return [
    ...new Set(TRIALS.map((share) => Math.min(steps, Math.max(1, Math.round((share * order.length) / step))))),
  ].map((count) => count * step);
}

/** Measured points, and between two of them growth in the proportions of the loss that was estimated. */
function between(points: readonly { units: number; error: number }[], estimate: Float64Array): Float64Array {
  const loss = new Float64Array(estimate.length);
  for (const n of loss.keys()) {
    const after = points.findIndex((point) => point.units >= n);
    const [low, high] = after < 0 ? points.slice(-2) : [points[Math.max(0, after - 1)], points[after]];
    if (!low || !high) continue;
    const [from, to] = [estimate[low.units] ?? 0, estimate[high.units] ?? 0];
    const even = (n - low.units) / Math.max(1, high.units - low.units);
    const share = to > from ? ((estimate[n] ?? 0) - from) / (to - from) : even;
    loss[n] = low.error + share * (high.error - low.error);
  }
  return loss;
}

interface Trial extends SensitivityOptions {
  readonly reference: Reference;
}

/** Relative error of the outputs without these units. */
async function trial(model: Model, units: readonly Unit[], options: Trial): Promise<number> {
  const copy = extract(model, outputNames(model));
  inferShapes(copy);
  const here = units.map((unit) => inModel(copy, unit));
  const fills = await meanFills(copy, here, options.means);
  const rest = await cutUnits(copy, here);
  for (const fill of fills) await applyFill(fill, rest);
  await using session = await options.evaluator.open(copy);
  return await relativeError(session, options.items, options.reference);
}

function outputNames(model: Model): readonly string[] {
  return model.graph.outputs.map((value) => value.name);
}

/** The same channels of a copy of the model. */
function inModel(copy: Model, unit: Unit): Unit {
  return unit.flatMap(({ axis, indices }) => {
    const value = copy.graph.values.get(axis.value.name);
    return value ? [{ axis: { value, axis: axis.axis }, indices }] : [];
  });
}

interface MeanFill {
  readonly layer: Layer;
  /** By output channel, those that leave too included. */
  readonly delta: Float32Array;
}

/** W_c mean(x_c), summed over the channels c that a Conv or Gemm will no longer read. */
async function meanFills(
  model: Model,
  removed: readonly Unit[],
  means: SensitivityOptions["means"],
): Promise<readonly MeanFill[]> {
  const gone = new Map<string, Set<number>>();
  for (const { axis, indices } of removed.flat()) {
    const key = `${axis.value.name}.${axis.axis}`;
    const set = gone.get(key) ?? new Set<number>();
    gone.set(key, set);
    for (const index of indices) set.add(index);
  }
  const fills: MeanFill[] = [];
  for (const layer of layersOf(model.graph)) {
    const { node, x, weight, inAxis, outAxis } = layer;
    const lost = gone.get(`${weight.name}.${inAxis}`);
    const mean = means.get(x.name);
    const tensor = weight.initializer;
    if (!lost || !mean || !tensor || inAxis === undefined) continue;
    if (node.opType === "MatMul" || (node.int("group") ?? 1) !== 1) continue;
    const delta = new Float32Array(tensor.dims[outAxis] ?? 0);
    const stride = (axis: number) => tensor.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
    const [inStride, outStride] = [stride(inAxis), stride(outAxis)];
    for (const [at, w] of (await tensor.floats()).entries()) {
      const c = Math.floor(at / inStride) % (tensor.dims[inAxis] ?? 1);
      const m = Math.floor(at / outStride) % delta.length;
      if (lost.has(c)) delta[m] = (delta[m] ?? 0) + w * (mean[c] ?? 0);
    }
    fills.push({ layer, delta });
  }
  return fills;
}

/** Adds to the bias, which others may share, in a constant of the layer's own. */
async function applyFill({ layer, delta }: MeanFill, rest: Remainder): Promise<void> {
  const { node, weight, outAxis } = layer;
  const kept = rest.indices({ value: weight, axis: outAxis }) ?? [...delta.keys()];
  const old = await node.inputs[2]?.initializer?.floats();
  if (old && old.length !== kept.length) return;
  const bias = Float32Array.from(kept, (m, i) => (old?.[i] ?? 0) + (delta[m] ?? 0));
  node.setInput(2, node.graph.addInitializer(`${weight.name}_bias`, Tensor.f32([bias.length], bias)));
}

interface Reference {
  readonly outputs: readonly HostTensors[];
  /** By output name: sum of squares of its deviation from its mean over the items. */
  readonly variation: ReadonlyMap<string, number>;
}

async function referenceOf(model: Model, items: readonly HostTensors[], evaluator: Evaluator): Promise<Reference> {
  await using session = await evaluator.open(extract(model, outputNames(model)));
  const outputs: HostTensors[] = [];
  for (const item of items) outputs.push(await session.run(item));
  const variation = new Map<string, number>();
  for (const name of outputNames(model)) {
    const data = outputs.flatMap((values) => values[name]?.data ?? []).filter((x) => x instanceof Float32Array);
    const moments = newVariation(data[0]?.length ?? 0);
    for (const x of data) if (x.length === moments.sum.length) addVariation(moments, x);
    variation.set(name, variationEnergy(moments));
  }
  return { outputs, variation };
}

/** Mean over the outputs of |error|^2 / variation. */
async function relativeError(
  session: EvaluationSession,
  items: readonly HostTensors[],
  { outputs, variation }: Reference,
): Promise<number> {
  const errors = new Map<string, { signal: number; error: number; maxAbs: number }>();
  for (const [i, item] of items.entries()) {
    for (const [name, { data }] of Object.entries(await session.run(item))) {
      const expected = outputs[i]?.[name]?.data;
      if (!(expected instanceof Float32Array) || !(data instanceof Float32Array)) continue;
      const into = errors.get(name) ?? { signal: 0, error: 0, maxAbs: 0 };
      errors.set(name, into);
      addSignalError(expected, data, into);
    }
  }
  const shares = [...errors].map(([name, { error, signal }]) => error / (variation.get(name) || signal || 1));
  return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
}
