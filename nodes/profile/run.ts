import type { Report, RunContext } from "../context.ts";
import { implementNode } from "../define.ts";
import type { ArtifactRef } from "../ports.ts";
import { estimate } from "./estimate.ts";
import { profile } from "./schema.ts";
import { latencyStatistics } from "./statistics.ts";

export const run = implementNode(profile, async (ctx, { model }, params) => {
  const figures = ctx.target.access === "predicted" ? await estimate(ctx, model) : await measure(ctx, model, params);
  const head = { kind: "profile", version: 1, target: ctx.target.id, sizeBytes: model.size };
  return { report: await ctx.artifacts.report({ ...head, ...figures }) };
});

/** A report without its head. */
export interface Figures {
  readonly provenance: Report["provenance"];
  readonly [key: string]: unknown;
}

interface MeasureParams {
  readonly warmup: number;
  readonly iterations: number;
  readonly threads: number;
  readonly maxSeconds: number;
  readonly openSize: number;
}

async function measure(
  ctx: RunContext,
  model: ArtifactRef<"model" | "engine">,
  params: MeasureParams,
): Promise<Figures> {
  const { iterations, warmup } = params;
  ctx.progress(0, iterations, "runs", "warming up");
  const measured = await ctx.runner.measure(model, {
    ...params,
    onIteration: (done) => ctx.progress(done, iterations, "runs"),
  });
  const done = measured.latenciesMs.length;
  ctx.progress(done, done, "runs");
  const { cpuMs, peakMemoryBytes, perOp, runtime, threads, conditions } = measured;
  return {
    provenance: "measured",
    ...latencyStatistics(measured.latenciesMs),
    ...(cpuMs !== undefined && { cpuMs }),
    ...(peakMemoryBytes !== undefined && { peakMemoryBytes }),
    perOp,
    iterations: done,
    warmup,
    threads,
    runtime,
    measuredAt: new Date().toISOString(),
    conditions,
  };
}
