import { Calibrator } from "../../onnx/passes/calibrate/calibrate.ts";
import { CalibrationError } from "../../onnx/passes/calibrate/calibrationError.ts";
import { prepareForQuantization } from "../../onnx/passes/quantize/prepare.ts";
import { QuantizeError } from "../../onnx/passes/quantize/quantizeError.ts";
import { UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import { feedsFor, feedsOf } from "../streams.ts";
import { calibrationReport } from "./report.ts";
import { calibrate } from "./schema.ts";

/** Below this many images the ranges hang on chance. */
const FEW_IMAGES = 8;

export const run = implementNode(calibrate, async (ctx, { model: ref, tensors }, { method, threads }) => {
  try {
    const model = await ctx.artifacts.openModel(ref);
    await prepareForQuantization(model, { signal: ctx.signal });
    const feeds = feedsOf(model);
    await using calibrator = await Calibrator.open(model, ctx.evaluator, threads);
    const frames: string[] = [];
    for await (const item of tensors) {
      ctx.signal.throwIfAborted();
      await calibrator.observe(feedsFor(item, feeds));
      frames.push(item.frame.id);
      ctx.progress(frames.length, tensors.total, "images");
    }
    const { table, coverage } = calibrator.finish(method);
    if (frames.length < FEW_IMAGES) {
      ctx.warn(`Only ${frames.length} image(s) came: ranges hang on chance. 32 images like those in use serve well.`);
    }
    const bytes = new TextEncoder().encode(JSON.stringify(table));
    return {
      calibration: await ctx.artifacts.put("calibration", bytes),
      report: await ctx.artifacts.report(calibrationReport(table, coverage, frames)),
    };
  } catch (error) {
    if (error instanceof CalibrationError || error instanceof QuantizeError) {
      throw new UserError(error.code, error.message, error.fix, { cause: error });
    }
    throw error;
  }
});
