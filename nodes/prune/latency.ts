/** How long a model takes on the target: predicted where figures cover it, measured where the target is this machine. */
import { modelCost } from "../../onnx/cost.ts";
import { inferShapes } from "../../onnx/infer.ts";
import type { Model, Node } from "../../onnx/ir/graph.ts";
import type { Prediction } from "../../onnx/passes/prune/prune.ts";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";
import { FITS } from "../../targets/fits.ts";
import { kernelsOf } from "../../targets/kernels.ts";
import { estimateLatency, NoEstimateError } from "../../targets/latency.ts";
import type { RunContext } from "../context.ts";
import type { ArtifactRef } from "../ports.ts";
import type { PruneReport } from "./report.ts";

/** Throws `NoEstimateError` where no figures cover the target. */
export function predict(model: Model, target: DeviceProfile): Prediction {
  inferShapes(model);
  const cost = modelCost(model);
  const estimate = estimateLatency(cost, target);
  const perMac = new Map<Node, number>();
  for (const [i, kernel] of kernelsOf(cost, FITS[estimate.basis.fit].fusion).entries()) {
    const op = estimate.perOp[i];
    if (!op || op.bound === "launch" || kernel.macs === 0) continue;
    for (const node of kernel.nodes) perMac.set(node, op.ms / kernel.macs);
  }
  return { ms: estimate.p50Ms, worth: (node) => perMac.get(node) ?? 0 };
}

export interface Pair<T> {
  readonly before: T;
  readonly after: T;
}

interface Saved {
  readonly model: Model;
  readonly ref: ArtifactRef<"model">;
}

/** Why the report has no multiply-adds, and no times where an input's size is open. */
export function sizeNotes({ graph }: Model, macs: number | undefined): readonly string[] {
  if (macs !== undefined) return [];
  const open = graph.feeds.find(({ shape }) => !shape?.every((dim) => typeof dim === "number"));
  if (!open) return ["No multiply-adds are given: sizes inside the model are known only when it runs."];
  const dims = open.shape ? `[${open.shape.map((dim) => dim ?? "?").join(", ")}]` : "of unknown rank";
  return [
    `No multiply-adds and no times are given, since they depend on sizes that the model leaves open: input "${open.name}" is ${dims}. Set its shape in load-model to see both; the share that is left counts each open size as 1.`,
  ];
}

/** Undefined where an input has no fixed size, on which the time depends, or nothing is known of the target. */
export async function latencyOf(ctx: RunContext, { before, after }: Pair<Saved>): Promise<PruneReport["latency"]> {
  const isFixed = before.model.graph.feeds.every(({ shape }) => shape?.every((dim) => typeof dim === "number"));
  if (!isFixed) return undefined;
  const predictedMs = predictedOf({ before: before.model, after: after.model }, ctx.target);
  const refs = { before: before.ref, after: after.ref };
  const measuredMs = ctx.target.access === "local" ? await measuredOf(ctx, refs) : undefined;
  if (!predictedMs && !measuredMs) return undefined;
  return { target: ctx.target.id, ...(predictedMs && { predictedMs }), ...(measuredMs && { measuredMs }) };
}

function predictedOf({ before, after }: Pair<Model>, target: DeviceProfile): Pair<number> | undefined {
  try {
    return { before: predict(before, target).ms, after: predict(after, target).ms };
  } catch (error) {
    if (error instanceof NoEstimateError) return undefined;
    throw error;
  }
}

/** In turns, so that what else the machine does meets both. */
const ROUNDS = 5;
const ROUND = { warmup: 2, iterations: 30, threads: 1, maxSeconds: 0.4 };

/** The fastest of all runs: what else the machine does only ever adds time. */
async function measuredOf(ctx: RunContext, refs: Pair<ArtifactRef<"model">>): Promise<Pair<number>> {
  const times: Record<keyof Pair<number>, number[]> = { before: [], after: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of ["before", "after"] as const) {
      ctx.signal.throwIfAborted();
      ctx.progress(round, ROUNDS, "rounds", `timing the model ${side} the cut`);
      times[side].push(...(await ctx.runner.measure(refs[side], ROUND)).latenciesMs);
    }
  }
  return { before: Math.min(...times.before), after: Math.min(...times.after) };
}

/** Less than this is no gain: two measurements of one model differ by as much. */
const NOTICEABLE = 0.02;

/** Whether it pays, in words. */
export function latencyNotes(latency: PruneReport["latency"], macsShare: number): readonly string[] {
  const times = latency?.measuredMs ?? latency?.predictedMs;
  if (!latency || !times) return [];
  const how = latency.measuredMs ? "measured on this machine" : `predicted for ${latency.target}`;
  const saved = 1 - times.after / times.before;
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  if (saved >= NOTICEABLE || macsShare > 1 - NOTICEABLE) return [];
  const speed = saved <= -NOTICEABLE ? `${percent(-saved)} slower` : `${percent(Math.max(0, saved))} faster`;
  return [`${percent(1 - macsShare)} fewer multiply-adds, ${speed} (${how}): keep it off.`];
}
