/**
 * Static INT8 made truer without training, step by step. Each step stays only where the outputs keep more with it than
 * without, on frames that it was not fitted to.
 *
 * 1. Equalisation: channels of unlike range are divided, the weights behind them take it up (`equalise.ts`).
 * 2. The way to choose ranges, where calibration kept those of several.
 * 3. Bias correction: W E[x] - Wq E[q(x)], from the rounded inputs of each layer.
 * 4. Weights rounded together by what they multiply, instead of each to the nearest (`kernels/gptq.ts`).
 */

import { cloneModel } from "../../cloneModel.ts";
import type { Model } from "../../ir/graph.ts";
import { byMethod, CANDIDATE_METHODS, type CalibrationTable } from "../calibrate/table.ts";
import { upgradeOpset } from "../upgradeOpset.ts";
import { calibrateEqualised } from "./calibrateEqualised.ts";
import { equalise } from "./equalise.ts";
import { attempt, type Evidence, type Try } from "./evidence.ts";
import { quantizableLayers } from "./layers.ts";
import { layoutOf } from "./layout.ts";
import type { MeasuringContext } from "./outputReference.ts";
import { QDQ_OPSET, type QuantizeOptions } from "./quantize.ts";
import { observeRoundedInputs } from "./roundedInputs.ts";
import { designInt8 } from "./staticInt8.ts";

export interface TriedMethod {
  readonly method: string;
  /** Mean over the outputs; of the hardest frames alone where those told that it is not the best. */
  readonly sqnrDb: number;
}

export interface TriedStep {
  readonly step: "equalisation" | "bias correction" | "rounding together";
  /** What the outputs kept without and with it, dB, mean over the outputs; with it of the hardest frames where it did not stay. */
  readonly beforeDb: number;
  readonly afterDb: number;
  /** Whether it stayed. */
  readonly kept: boolean;
}

export interface CalibratedOptions extends QuantizeOptions {
  readonly table: CalibrationTable;
  /** What an equalising Mul must be worth, dB, where the layout's own figure does not serve. */
  readonly mulDb?: number;
}

export interface Standing {
  readonly options: QuantizeOptions;
  readonly evidence: Evidence;
  readonly best: Try;
}

export interface Refined extends Standing {
  readonly methods: readonly TriedMethod[] | undefined;
  readonly steps: readonly TriedStep[];
}

interface Chosen extends Standing {
  readonly options: CalibratedOptions;
  readonly methods: readonly TriedMethod[] | undefined;
}

export async function refineInt8(
  options: CalibratedOptions,
  evidence: Evidence,
  ctx: MeasuringContext,
): Promise<Refined> {
  const steps: TriedStep[] = [];
  const { methods, step, ...standing } = await evenOrNot(options, evidence, ctx);
  if (step) steps.push(step);
  ctx.progress?.(0, 2, "correcting biases");
  const seen = await seenBy(standing, ctx);
  if (seen.size === 0) return { ...standing, methods, steps };
  const corrected = await tryStep("bias correction", standing, { seen });
  ctx.progress?.(1, 2, "rounding weights together");
  const rounded = await tryStep("rounding together", corrected.standing, { seen, byHessian: true });
  return { ...rounded.standing, methods, steps: [...steps, corrected.step, rounded.step] };
}

/** The equalised form, unless the plain one keeps more; both by the first way to choose ranges. */
async function evenOrNot(options: CalibratedOptions, evidence: Evidence, ctx: MeasuringContext) {
  const even = await equalised(options, evidence, ctx);
  if (!even) return { ...(await chooseMethod({ options, evidence }, ctx)), step: undefined };
  const plain = await attemptFirst({ options, evidence });
  const evened = await attemptFirst(even, plain.meanDb);
  const kept = evened.meanDb > plain.meanDb;
  const step: TriedStep = { step: "equalisation", beforeDb: plain.meanDb, afterDb: evened.meanDb, kept };
  const from = kept ? { ...even, first: evened } : { options, evidence, first: plain };
  return { ...(await chooseMethod(from, ctx)), step };
}

/** Undefined where no channel needs it, or their ranges are not known or not ours to change. */
async function equalised(options: CalibratedOptions, evidence: Evidence, ctx: MeasuringContext) {
  const { table } = options;
  if (table.method === "given") return undefined;
  const model = await evidence.open();
  const done = await equalise(model.graph, table, options.mulDb ?? layoutOf(options.layout).worthAMulDb);
  if (done.length === 0) return undefined;
  ctx.progress?.(0, 1, `equalising ${done.length} tensors`);
  const again = await calibrateEqualised(model, { table, equalised: done, frames: evidence.fitting }, ctx);
  const open = async (): Promise<Model> => cloneModel(model);
  return { options: { ...options, table: again }, evidence: { ...evidence, open } };
}

function attemptFirst({ options, evidence }: Beginning, toBeat?: number): Promise<Try> {
  const { table } = options;
  return attempt(
    { ...options, table: table.method === "auto" ? byMethod(table, CANDIDATE_METHODS[0]) : table },
    evidence,
    toBeat,
  );
}

interface Beginning {
  readonly options: CalibratedOptions;
  readonly evidence: Evidence;
  /** The try by the first method, where it was made. */
  readonly first?: Try;
}

async function chooseMethod(from: Beginning, ctx: MeasuringContext): Promise<Chosen> {
  const { options, evidence } = from;
  const first = from.first ?? (await attemptFirst(from));
  const { table } = options;
  if (table.method !== "auto") return { options, evidence, best: first, methods: undefined };
  const methods: TriedMethod[] = [];
  // Only the best is held: models are large.
  let winner: { readonly options: CalibratedOptions; readonly best: Try } | undefined;
  for (const [i, method] of CANDIDATE_METHODS.entries()) {
    ctx.progress?.(i, CANDIDATE_METHODS.length, "trying ways to choose ranges");
    const chosen = { ...options, table: byMethod(table, method) };
    const best = i === 0 ? first : await attempt(chosen, evidence, winner?.best.meanDb);
    methods.push({ method, sqnrDb: best.meanDb });
    if (!winner || best.meanDb > winner.best.meanDb) winner = { options: chosen, best };
  }
  if (!winner) throw new Error("no method was tried");
  return { ...winner, evidence, methods: methods.sort((a, b) => b.sqnrDb - a.sqnrDb) };
}

async function seenBy(
  { options, evidence }: { options: CalibratedOptions; evidence: Evidence },
  ctx: MeasuringContext,
) {
  const model = await evidence.open();
  upgradeOpset(model, QDQ_OPSET);
  const { table, placement } = options;
  const { layers } = quantizableLayers(model.graph);
  const design = await designInt8(model.graph, layers, { table, layout: layoutOf(options.layout), placement });
  const parameters = new Map(design.layers.map(({ layer, input }) => [layer.name, input]));
  return observeRoundedInputs(model, { frames: evidence.fitting, parameters }, ctx);
}

async function tryStep(
  step: TriedStep["step"],
  standing: Standing,
  more: Pick<QuantizeOptions, "seen" | "byHessian">,
): Promise<{ standing: Standing; step: TriedStep }> {
  const { evidence, best } = standing;
  const options = { ...standing.options, ...more };
  const next = await attempt(options, evidence, best.meanDb);
  const kept = next.meanDb > best.meanDb;
  return {
    standing: kept ? { options, evidence, best: next } : standing,
    step: { step, beforeDb: best.meanDb, afterDb: next.meanDb, kept },
  };
}
