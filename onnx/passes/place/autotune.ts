/**
 * Integers where they pay: finds the forms of a model that no other beats in speed, truth and size, and takes the one that
 * an objective asks for.
 *
 * 1. The fastest float form, by exact rewrites that measure faster.
 * 2. Costs of each operator in floats and in integers and of the conversions between, from profiles.
 * 3. Ranges, biases and rounding as they leave the outputs truest (`quantize/refineInt8.ts`).
 * 4. For a range of prices on noise, the placement of least predicted time (a minimum cut), each built and measured: time
 *    side by side with the given model, SQNR of the outputs on frames held back, and the judge's verdict.
 *
 * What is returned was measured; predictions only choose what to measure. Nothing returned is slower than the given model,
 * whose initializers are constants here even where the file lists them as inputs.
 */
import { cloneModel } from "../../cloneModel.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { writeModel } from "../../serde.ts";
import { byMethod, CANDIDATE_METHODS, type CalibrationTable } from "../calibrate/table.ts";
import { fixOtherInitializers } from "../optionalInputs.ts";
import { quantizableLayers } from "../quantize/layers.ts";
import { type LayoutName, layoutOf } from "../quantize/layout.ts";
import { type MeasuringContext, OutputReference } from "../quantize/outputReference.ts";
import type { Form } from "../quantize/placement.ts";
import type { LayerResult } from "../quantize/quantize.ts";
import { refineInt8, type TriedMethod, type TriedStep } from "../quantize/refineInt8.ts";
import { requireNames } from "../quantize/requireNames.ts";
import { type Built, build, type Material, measureNoise, placementOf, QUANTIZE, sweep } from "./candidates.ts";
import { chooseIntegers } from "./chooseIntegers.ts";
import type { Figures } from "./front.ts";
import { type Judge, lossOf, noisePercent, type Verdict } from "./judge.ts";
import { type Profiler, profileCosts } from "./profileCosts.ts";
import { prepareForPlacement, type RewriteTried, tuneFloat } from "./tuneFloat.ts";
import { type Unit, type Units, unitsOf } from "./units.ts";

export interface AutotuneInput {
  /** A fresh copy of the given float model. */
  readonly open: () => Promise<Model>;
  readonly bytes: number;
  readonly layout: LayoutName;
  /** Ranges of the prepared model's activations, of every method, on all frames. */
  readonly calibrate: (prepared: Model) => Promise<CalibrationTable>;
  /** Frames that choices are made by, and others that tell the truth about them. */
  readonly choosing: readonly HostTensors[];
  readonly judging: readonly HostTensors[];
  /** Frames that biases and rounding are fitted to. */
  readonly fitting: readonly HostTensors[];
  readonly judge?: Judge | undefined;
  /** One form alone is made and measured, beside the given model and its float form: nothing is searched. */
  readonly take?: Taken | undefined;
}

/** A point of an earlier search. */
export interface Taken {
  readonly form: "original" | "float" | "weights" | "int8";
  /** Names of the layers and carriers in integers. */
  readonly integers: readonly string[];
}

export interface AutotuneContext extends MeasuringContext {
  /** Milliseconds of one inference of each model on the target, all under the same conditions. */
  readonly time: (models: readonly Model[]) => Promise<readonly number[]>;
  readonly profile: Profiler;
  readonly report: (done: number, message: string) => void;
}

export interface Point extends Figures {
  /** `original`, `float`, `weights`, or `int8-N` with N layers in integers: a choice that names it takes it. */
  readonly id: string;
  readonly model: Model;
  readonly taken: Taken;
  /** Layers in integers, layers with their weight alone in 8 bits, and the rest. */
  readonly layers: { readonly int8: number; readonly weights: number; readonly float: number };
  readonly quantized: readonly LayerResult[];
}

export interface Autotuned {
  /** Everything measured, the given model first. */
  readonly points: readonly Point[];
  readonly rewrites: readonly RewriteTried[];
  /** Ways to choose ranges with what the outputs kept, best first. */
  readonly methods: readonly TriedMethod[];
  /** Ways to make the integers truer, and whether they did. */
  readonly steps: readonly TriedStep[];
}

export async function autotune(input: AutotuneInput, ctx: AutotuneContext): Promise<Autotuned> {
  const { layout } = input;
  const given = await input.open();
  // Weights that a file lists as inputs a runtime folds nothing into: against those any form would look fast.
  fixOtherInitializers(given.graph);
  const prepared = cloneModel(given);
  ctx.report(0, "simplifying");
  await prepareForPlacement(prepared, ctx);
  ctx.report(0.02, "trying exact rewrites");
  const floats = await tuneFloat(prepared, layout, ctx.time);
  if (input.take) requireNames("take", input.take.integers, [...floats.names]);
  ctx.report(0.1, "calibrating");
  const table = await input.calibrate(floats.model);
  const units = unitsOf(floats.model.graph, layoutOf(layout));
  const open = async () => cloneModel(floats.model);
  const choosing = await OutputReference.of(floats.model, input.choosing, ctx);
  const first: Material = { open, units, layout, table };
  const sets = input.take ? pinned(units, input.take) : await search(first, choosing, ctx);
  // Ranges and rounding are chosen where there is something to lose, and not all is lost.
  const middle = sets[Math.floor((sets.length - 1) / 2)] ?? new Set<Unit>();
  const { material, methods, steps } = await refine(first, middle, {
    reference: choosing,
    fitting: input.fitting,
    ctx,
  });
  const builds: Try[] = [];
  for (const integers of sets) {
    const built = await build(material, placementOf(units, integers, "weights"));
    builds.push({ built, integers: [...integers].map(({ name }) => name) });
  }
  const points = await measure(input, { given, float: floats.model, builds }, ctx);
  return { points, rewrites: floats.tried, methods, steps };
}

function pinned(units: Units, { form, integers }: Taken): readonly ReadonlySet<Unit>[] {
  const set = new Set(units.all.filter(({ name }) => integers.includes(name)));
  return form === "int8" || form === "weights" ? [set] : [];
}

/** Sets of units for integers, from the fastest by prediction to none. */
async function search(
  first: Material,
  reference: OutputReference,
  ctx: AutotuneContext,
): Promise<readonly ReadonlySet<Unit>[]> {
  const { units, layout } = first;
  const material = { ...first, table: byMethod(first.table, CANDIDATE_METHODS[0]) };
  ctx.report(0.2, "profiling operators");
  const costs = await profileCosts({ ...material, layout: layoutOf(layout) }, ctx.profile);
  const fastest = chooseIntegers(units, costs, { msPerNoise: 0, noiseOf: () => 0 });
  const layers = [...fastest].filter(({ kind }) => kind === "layer");
  const noise = await measureNoise(material, layers, reference, (done) =>
    ctx.report(0.3 + (0.2 * done) / layers.length, `noise of ${layers.length} layers, each alone`),
  );
  return [...sweep(units, costs, noise), new Set()];
}

interface Refining {
  readonly reference: OutputReference;
  readonly fitting: readonly HostTensors[];
  readonly ctx: AutotuneContext;
}

/** Ranges, biases and rounding, each as it serves the outputs best with these integers. */
async function refine(first: Material, integers: ReadonlySet<Unit>, { reference, fitting, ctx }: Refining) {
  const { open, units, layout, table } = first;
  const options = {
    ...QUANTIZE,
    layout,
    table,
    placement: placementOf(units, integers, "weights"),
    mulDb: Number.POSITIVE_INFINITY,
  };
  const progress = (done: number, total: number, message: string) =>
    ctx.report(0.5 + (0.15 * done) / Math.max(1, total), message);
  const refined = await refineInt8(options, { open, reference, fitting }, { ...ctx, progress });
  const { table: chosen = table, seen, byHessian } = refined.options;
  const material: Material = { ...first, open: refined.evidence.open, table: chosen, seen, byHessian };
  return { material, methods: refined.methods ?? [], steps: refined.steps };
}

interface Try {
  readonly built: Built;
  readonly integers: readonly string[];
}

interface Tries {
  readonly given: Model;
  readonly float: Model;
  readonly builds: readonly Try[];
}

async function measure(
  { judging, judge, bytes }: AutotuneInput,
  { given, float, builds }: Tries,
  ctx: AutotuneContext,
): Promise<readonly Point[]> {
  const unquantized = { layers: { int8: 0, weights: 0, float: unitCount(float) }, quantized: [] };
  const entries = [
    { model: given, id: "original", taken: { form: "original", integers: [] }, ...unquantized },
    { model: float, id: "float", taken: { form: "float", integers: [] }, ...unquantized },
    ...builds.map(describe),
  ] satisfies Omit<Point, keyof Figures>[];
  ctx.report(0.65, `timing ${entries.length} models side by side`);
  const times = await ctx.time(entries.map(({ model }) => model));
  const reference = await OutputReference.of(given, judging, ctx);
  const points: Point[] = [];
  let whole: Verdict | undefined;
  for (const [i, entry] of entries.entries()) {
    ctx.report(0.8 + (0.2 * i) / entries.length, `judging ${entry.id}`);
    const { worstDb } = await reference.measure(entry.model);
    const verdict = judge && (await judgeModel(judge, entry.model, ctx));
    whole ??= verdict;
    const ms = times[i] ?? 0;
    points.push({
      ...entry,
      ms,
      speedup: (times[0] ?? 0) / ms,
      sizeShare: i === 0 ? 1 : (await bytesOf(entry.model)) / bytes,
      sqnrDb: Number.isFinite(worstDb) ? worstDb : undefined,
      ...(verdict && whole ? lossOf(verdict, whole) : { lossPercent: noisePercent(worstDb), lossError: 0 }),
      ...(verdict?.mAP !== undefined && { mAP: verdict.mAP }),
    });
  }
  return points;
}

function unitCount({ graph }: Model): number {
  return quantizableLayers(graph).layers.length;
}

function describe({ built: { model, result, placement }, integers }: Try): Omit<Point, keyof Figures> {
  const count = (form: Form) => result.layers.filter(({ node }) => placement.get(node) === form).length;
  const layers = { int8: count("int8"), weights: count("weights"), float: result.kept.length };
  const form = layers.int8 > 0 ? "int8" : "weights";
  const id = layers.int8 > 0 ? `int8-${layers.int8}` : "weights";
  return { id, model, taken: { form, integers }, layers, quantized: result.layers };
}

async function judgeModel(judge: Judge, model: Model, { evaluator }: AutotuneContext) {
  await using session = await evaluator.open(model);
  // Awaited here: the session closes as this returns.
  return await judge.judge((feeds) => session.run(feeds));
}

async function bytesOf(model: Model): Promise<number> {
  let bytes = 0;
  for await (const chunk of writeModel(model)) bytes += chunk.length;
  return bytes;
}
