import { Calibrator } from "../../onnx/passes/calibrate/calibrate.ts";
import { CalibrationError } from "../../onnx/passes/calibrate/calibrationError.ts";
import { autotune as tune } from "../../onnx/passes/place/autotune.ts";
import { choose } from "../../onnx/passes/place/front.ts";
import { QuantizeError } from "../../onnx/passes/quantize/quantizeError.ts";
import { UpgradeError } from "../../onnx/passes/upgradeOpset/upgradeError.ts";
import { type RunContext, UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import { clockOf } from "./clock.ts";
import { gatherFrames } from "./frames.ts";
import { judgeFor } from "./judgeFor.ts";
import { reportOf } from "./report.ts";
import { autotune, TAKEN } from "./schema.ts";

export const run = implementNode(autotune, async (ctx, { model: ref, tensors, settings, images }, params) => {
  try {
    const { layout, objective, take } = params;
    const open = () => ctx.artifacts.openModel(ref);
    const frames = await gatherFrames(ctx, tensors, await open());
    const { judge, warnings } = await judgeFor(ctx, { model: ref, frames: frames.all, settings, images });
    const clock = clockOf(ctx, layout, frames);
    const form = TAKEN.find((name) => name === take[0]);
    const tuned = await tune(
      {
        open,
        bytes: ref.size,
        layout,
        choosing: frames.choosing.map(({ feeds }) => feeds),
        fitting: frames.fitting.map(({ feeds }) => feeds),
        judging: frames.judging.map(({ feeds }) => feeds),
        judge,
        take: form && { form, integers: take.slice(1) },
        async calibrate(prepared) {
          await using calibrator = await Calibrator.open(prepared, ctx.evaluator);
          for (const { feeds } of frames.all) {
            ctx.signal.throwIfAborted();
            await calibrator.observe(feeds);
          }
          return calibrator.finish("auto").table;
        },
      },
      {
        evaluator: ctx.evaluator,
        signal: ctx.signal,
        time: clock.time,
        profile: clock.profile,
        report: (done, message) => ctx.progress(Math.round(done * 100), 100, "%", message),
      },
    );
    const chosen = pick(ctx, tuned.points, { ...params, form });
    const report = reportOf({
      tuned,
      chosen,
      layout,
      objective,
      lossOf: judge?.measure ?? "energy of the outputs",
      provenance: clock.provenance,
      conditions: { ...clock.conditions, frames: frames.all.length, judged: frames.judging.length },
      warnings,
    });
    for (const warning of warnings) ctx.warn(warning);
    const model = chosen.id === "original" ? ref : await ctx.artifacts.saveModel(chosen.model);
    return { model, report: await ctx.artifacts.report(report) };
  } catch (error) {
    throw mendable(error);
  }
});

type Tuned = Awaited<ReturnType<typeof tune>>;

/** What was asked for; where nothing keeps the limit, the given model, and that is said. */
function pick(
  ctx: RunContext,
  points: Tuned["points"],
  params: Parameters<typeof choose>[1] & { readonly form: string | undefined },
) {
  const { form, objective, maxLoss, maxMs } = params;
  const [original] = points;
  if (!original) throw new Error("nothing was measured");
  if (form) return points.find(({ taken }) => taken.form === form) ?? original;
  const found = choose(points, params);
  if (objective === "truest" && !found) {
    const fastest = points.reduce((a, b) => (b.ms < a.ms ? b : a));
    throw new UserError(
      "too-slow",
      `nothing takes ${maxMs} ms or less: the fastest form found takes ${fastest.ms.toFixed(2)} ms`,
      `Set maxMs to ${(fastest.ms * 1.02).toPrecision(3)} or more, or give the network a smaller input.`,
    );
  }
  const chosen = found && found.speedup >= 1 ? found : original;
  if (chosen.layers.int8 === 0) {
    const why = `within ${maxLoss} % loss no layer gains enough time in integers`;
    ctx.log(`${why}: ${chosen.layers.weights > 0 ? "weights alone are stored in 8 bits" : "all stays in float"}`);
  }
  return chosen;
}

function mendable(error: unknown): unknown {
  if (error instanceof QuantizeError || error instanceof UpgradeError || error instanceof CalibrationError) {
    return new UserError(error.code, error.message, error.fix, { cause: error });
  }
  return error;
}
