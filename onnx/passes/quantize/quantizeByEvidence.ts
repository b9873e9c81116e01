/**
 * Quantization that goes by what it measures: on a few frames the outputs of each try are held against the float model's.
 *
 * 1. Where calibration kept the ranges of several methods, the one whose outputs are truest wins: none is best for every
 *    network and layout.
 * 2. INT8: the layers predicted to cost most are measured one by one.
 * 3. Where the outputs still keep less than the floor, the layers that cost most take the next finer form (float, or 8
 *    bits in INT4): the fewest that reach it, found by bisection over the layers in order of their own error.
 */
import type { Model } from "../../ir/graph.ts";
import { byMethod, CANDIDATE_METHODS, type CalibrationTable } from "../calibrate/table.ts";
import type { MeasuringContext, OutputReference } from "./outputReference.ts";
import { type LayerResult, type QuantizeOptions, type QuantizeResult, quantize } from "./quantize.ts";
import { measureSensitivity } from "./sensitivity.ts";

export interface TriedMethod {
  readonly method: string;
  /** Mean over the outputs. */
  readonly sqnrDb: number;
}

export interface EvidentQuantization {
  readonly model: Model;
  readonly result: QuantizeResult;
  /** Ways to choose ranges that were tried, best first; absent where there was no choice. */
  readonly methods?: readonly TriedMethod[];
}

export interface Evidence {
  /** A fresh copy of the prepared float model. */
  readonly open: () => Promise<Model>;
  readonly reference: OutputReference;
}

interface Try {
  readonly model: Model;
  readonly result: QuantizeResult;
  readonly meanDb: number;
  readonly worstDb: number;
}

/** What was chosen by some frames keeps a little less on others, dB. */
const MARGIN_DB = 1;
/** Layers whose own cost is measured. */
const SUSPECTS = 16;

export async function quantizeByEvidence(
  options: QuantizeOptions,
  evidence: Evidence,
  ctx: MeasuringContext,
): Promise<EvidentQuantization> {
  if (options.format === "fp16") return attempt(options, evidence);
  const chosen = await chooseMethod(options, evidence, ctx);
  const measured = await withMeasuredLayers(chosen, evidence, ctx);
  const best = await sparedToFloor(measured, evidence, ctx);
  return { model: best.model, result: best.result, ...(chosen.methods && { methods: chosen.methods }) };
}

async function attempt(options: QuantizeOptions, { open, reference }: Evidence): Promise<Try> {
  const model = await open();
  const result = await quantize(model, options);
  return { model, result, ...(await reference.measure(model)) };
}

interface Standing {
  readonly options: QuantizeOptions;
  readonly best: Try;
  readonly methods?: readonly TriedMethod[];
}

async function chooseMethod(options: QuantizeOptions, evidence: Evidence, ctx: MeasuringContext): Promise<Standing> {
  const { table } = options;
  if (options.format !== "int8" || table?.method !== "auto") return { options, best: await attempt(options, evidence) };
  const tried: (Standing & TriedMethod)[] = [];
  for (const [i, method] of CANDIDATE_METHODS.entries()) {
    ctx.progress?.(i, CANDIDATE_METHODS.length, "trying ways to choose ranges");
    const candidate = { ...options, table: byMethod(table, method) };
    const best = await attempt(candidate, evidence);
    tried.push({ options: candidate, best, method, sqnrDb: best.meanDb });
  }
  tried.sort((a, b) => b.sqnrDb - a.sqnrDb);
  const [winner] = tried;
  if (!winner) throw new Error("no method was tried");
  return { ...winner, methods: tried.map(({ method, sqnrDb }) => ({ method, sqnrDb })) };
}

/** Predictions are cautious: a layer that measures well is quantized after all, one that measures badly is not. */
async function withMeasuredLayers({ options, best }: Standing, evidence: Evidence, ctx: MeasuringContext) {
  const { table, layout, format } = options;
  if (format !== "int8" || !table || options.minSqnrDb === 0) return { options, best };
  const suspects = await suspectsOf(options, table, evidence);
  const measured = await measureSensitivity({ ...evidence, layout, table, suspects }, ctx);
  const informed = { ...options, measured };
  return { options: informed, best: await attempt(informed, evidence) };
}

/** The worst predicted layers, of all that could be quantized. */
async function suspectsOf(options: QuantizeOptions, table: CalibrationTable, { open }: Evidence) {
  const { layers } = await quantize(await open(), { ...options, table, minSqnrDb: 0 });
  return byOwnError(layers).slice(0, SUSPECTS);
}

function byOwnError(layers: readonly LayerResult[]): readonly string[] {
  const known = layers.flatMap(({ node, ownSqnrDb }) => (ownSqnrDb === undefined ? [] : [{ node, ownSqnrDb }]));
  return known.sort((a, b) => a.ownSqnrDb - b.ownSqnrDb).map(({ node }) => node);
}

async function sparedToFloor({ options, best }: Standing, evidence: Evidence, ctx: MeasuringContext): Promise<Try> {
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
