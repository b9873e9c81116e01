/** Times and profiles of the target: measured on this machine, or estimated for one that is not at hand. */
import { cloneModel } from "../../onnx/cloneModel.ts";
import { modelCost } from "../../onnx/cost.ts";
import { inferShapes } from "../../onnx/infer.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import type { OperatorTime, Profiler } from "../../onnx/passes/place/profileCosts.ts";
import { timeSideBySide } from "../../onnx/passes/place/timing.ts";
import type { LayoutName } from "../../onnx/passes/quantize/layout.ts";
import { estimateLatency } from "../../targets/latency.ts";
import { type RunContext, UserError } from "../context.ts";
import type { Frames } from "./frames.ts";

export interface Clock {
  readonly provenance: "measured" | "estimated";
  readonly time: (models: readonly Model[]) => Promise<readonly number[]>;
  readonly profile: Profiler;
  readonly conditions: Readonly<Record<string, unknown>>;
}

/** CPU time that one side-by-side timing may take, about. */
const TIMING_BUDGET_MS = 20_000;
const PROFILES = 8;
const PROFILED_RUNS = 3;

export function clockOf(ctx: RunContext, layout: LayoutName, { judging }: Frames): Clock {
  const { target } = ctx;
  const fits = (layout === "tensorrt") === (target.runtime === "tensorrt");
  if (!fits) {
    throw new UserError(
      "layout-target",
      `the layout ${layout} is not for ${target.name}, whose runtime is ${target.runtime}: its times say nothing of it`,
      layout === "tensorrt"
        ? "Choose the layout onnxruntime-x86, or a target with TensorRT (a Jetson, an RTX)."
        : "Choose the layout tensorrt, or the target local-cpu.",
    );
  }
  if (target.access === "predicted") return estimating(ctx);
  const [frame] = judging;
  if (!frame) throw new Error("no frame to time with");
  const watch = { evaluator: ctx.evaluator, signal: ctx.signal, cpuMs };
  return {
    provenance: "measured",
    time: (models) => timeSideBySide(models, { feeds: frame.feeds, budgetMs: TIMING_BUDGET_MS }, watch),
    profile: (model) => profile(ctx, model),
    conditions: { threads: 1, time: "CPU time, all models side by side", runtime: ctx.runner.runtime },
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The least of a few profiles, operator by operator: what disturbs one rarely disturbs all. */
async function profile(ctx: RunContext, model: Model): Promise<readonly OperatorTime[]> {
  const ref = await ctx.artifacts.saveModel(model);
  let least: OperatorTime[] = [];
  for (let i = 0; i < PROFILES; i++) {
    ctx.signal.throwIfAborted();
    const { perOp } = await ctx.runner.measure(ref, { warmup: 2, iterations: PROFILED_RUNS, threads: 1 });
    least = perOp.map((time, at) => ({ ...time, ms: Math.min(time.ms, least[at]?.ms ?? time.ms) }));
  }
  return least;
}

function estimating({ target }: RunContext): Clock {
  const estimate = (model: Model) => {
    const copy = cloneModel(model);
    inferShapes(copy);
    return estimateLatency(modelCost(copy), target);
  };
  return {
    provenance: "estimated",
    time: async (models) => models.map((model) => estimate(model).p50Ms),
    profile: async (model) =>
      estimate(model).perOp.map(({ nodes, opType, ms }) => ({ node: nodes.join(" "), opType, ms })),
    conditions: { target: target.id },
  };
}
