/**
 * Quantization that goes by what it measures: on a few frames the outputs of each try are held against the float model's.
 *
 * 1. INT8: channels are equalised, ranges chosen by the method whose outputs are truest, biases corrected, weights rounded
 *    together: each step stays only where the outputs are truer with it than without.
 * 2. INT8: layers that are predicted to lose more than the floor allows are measured one by one.
 * 3. BF16: each layer is rounded by itself, in a simulation.
 * 4. Where the outputs still keep less than the floor, the layers that cost most take the next finer form (float, or 8
 *    bits in INT4): the fewest that reach it, found by bisection over the layers in order of their own error.
 */
import type { Model } from "../../ir/graph.ts";
import { attempt, type Evidence, made, type Try } from "./evidence.ts";
import type { MeasuringContext } from "./outputReference.ts";
import type { QuantizeOptions, QuantizeResult } from "./quantize.ts";
import { refineInt8, type Standing, type TriedMethod, type TriedStep } from "./refineInt8.ts";
import { measureSensitivity } from "./sensitivity.ts";
import { bfloat16Alone } from "./simulateBfloat16.ts";
import { withinBudget } from "./withinBudget.ts";

export interface EvidentQuantization {
  readonly model: Model;
  readonly result: QuantizeResult;
  /** A fresh copy of the float model that it was made from, under the same names. */
  readonly open: () => Promise<Model>;
  /** Ways to choose ranges that were tried, best first; absent where there was no choice. */
  readonly methods?: readonly TriedMethod[];
  /** Steps that were tried to make it truer, in order. */
  readonly steps?: readonly TriedStep[];
}

/** What was chosen by some frames keeps a little less on others, dB. */
const MARGIN_DB = 1;
/** Frames on which layers are rounded one by one. */
const FRAMES_ALONE = 4;
/** Layers whose own cost is measured. */
const SUSPECTS = 16;

export async function quantizeByEvidence(
  options: QuantizeOptions,
  evidence: Evidence,
  ctx: MeasuringContext,
): Promise<EvidentQuantization> {
  const { open } = evidence;
  if (options.format === "fp16") return { ...(await attempt(options, evidence)), open };
  if (options.format === "bf16") return { ...(await inBfloat16(options, evidence, ctx)), open };
  if (options.format === "int4" && options.maxMb) return { ...(await underSize(options, evidence, ctx)), open };
  const { table } = options;
  const refined =
    options.format === "int8" && table ? await refineInt8({ ...options, table }, evidence, ctx) : undefined;
  const standing = refined ?? { options, evidence, best: await attempt(options, evidence) };
  const measured = await withMeasuredLayers(standing, ctx);
  const { model, result } = await sparedToFloor(measured, ctx);
  const { methods, steps } = refined ?? {};
  return { model, result, open: standing.evidence.open, ...(methods && { methods }), ...(steps && { steps }) };
}

/** Layers and outputs keep the floor by a simulation: no runtime at hand need compute in it. */
async function inBfloat16(options: QuantizeOptions, evidence: Evidence, ctx: MeasuringContext): Promise<Try> {
  const frames = evidence.fitting.slice(0, FRAMES_ALONE);
  const informed = { ...options, measured: await bfloat16Alone(await evidence.open(), frames, ctx) };
  return sparedToFloor({ options: informed, evidence, best: await attempt(informed, evidence) }, ctx);
}

/** What a size decides, no floor decides again. */
async function underSize(options: QuantizeOptions, evidence: Evidence, ctx: MeasuringContext): Promise<Try> {
  const freely = { ...options, minSqnrDb: 0 };
  const noise = async (spared: ReadonlySet<string>) =>
    10 ** (-(await attempt({ ...freely, spared }, evidence)).meanDb / 10);
  const progress = (done: number, total: number) => ctx.progress?.(done, total, "measuring layers");
  const budget = { maxBytes: (options.maxMb ?? 0) * 1e6, noise, progress };
  return attempt({ ...freely, spared: await withinBudget(evidence.open, freely, budget) }, evidence);
}

/** Predictions are cautious: a layer that is left in float for what it would keep is quantized after all where it measures well. */
async function withMeasuredLayers({ options, evidence, best }: Standing, ctx: MeasuringContext): Promise<Standing> {
  const { table, layout, format, minSqnrDb } = options;
  const suspects = byOwnError(best.result.kept).slice(0, SUSPECTS);
  if (format !== "int8" || !table || suspects.length === 0) return { options, evidence, best };
  const measured = await measureSensitivity({ ...evidence, layout, table, suspects, floorDb: minSqnrDb }, ctx);
  const informed = { ...options, measured };
  const changed = [...measured.values()].some((db) => db >= minSqnrDb);
  if (changed) return { options: informed, evidence, best: await attempt(informed, evidence) };
  // The same model, described by what was measured.
  return { options: informed, evidence, best: { ...best, ...(await made(informed, evidence)) } };
}

interface Judged {
  readonly node: string;
  readonly ownSqnrDb?: number | undefined;
}

function byOwnError(layers: readonly Judged[]): readonly string[] {
  const known = layers.flatMap(({ node, ownSqnrDb }) => (ownSqnrDb === undefined ? [] : [{ node, ownSqnrDb }]));
  return known.sort((a, b) => a.ownSqnrDb - b.ownSqnrDb).map(({ node }) => node);
}

async function sparedToFloor({ options, evidence, best }: Standing, ctx: MeasuringContext): Promise<Try> {
  const floor = options.minSqnrDb + MARGIN_DB;
  if (options.minSqnrDb === 0 || best.worstDb >= floor) return best;
  const coarsest = Math.min(...best.result.layers.map(({ bits }) => bits));
  const order = byOwnError(best.result.layers.filter(({ bits }) => bits === coarsest));
  const spare = (count: number) => attempt({ ...options, spared: new Set(order.slice(0, count)) }, evidence);
  // At least one layer stays as it is: a model of floats alone is no quantized model.
  let [tooFew, enough] = [0, order.length - 1];
  let reached = enough > 0 ? await spare(enough) : best;
  if (reached.worstDb < floor) return best;
  for (let step = 1; enough - tooFew > 1; step++) {
    ctx.progress?.(step, Math.ceil(Math.log2(order.length)), "sparing layers");
    const middle = Math.floor((tooFew + enough) / 2);
    const found = await spare(middle);
    if (found.worstDb >= floor) [reached, enough] = [found, middle];
    else tooFew = middle;
  }
  return reached;
}
