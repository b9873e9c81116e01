import { Calibrator } from "../../onnx/passes/calibrate/calibrate.ts";
import { CalibrationError } from "../../onnx/passes/calibrate/calibrationError.ts";
import { allAlike } from "../../onnx/passes/calibrate/coverage.ts";
import { type GivenRanges, readRanges } from "../../onnx/passes/calibrate/foreignTables.ts";
import { prepareForQuantization } from "../../onnx/passes/quantize/prepare.ts";
import { QuantizeError } from "../../onnx/passes/quantize/quantizeError.ts";
import { readCalibration } from "../calibrationTable.ts";
import { type RunContext, UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import { feedsFor, feedsOf } from "../streams.ts";
import { calibrationReport } from "./report.ts";
import { Resumable } from "./resumable.ts";
import { calibrate } from "./schema.ts";
import { standing } from "./standing.ts";

/** Below this many images the ranges hang on chance. */
const FEW_IMAGES = 8;
/** A table of a hundred thousand tensors is smaller. */
const MOST_TABLE_BYTES = 32 * 2 ** 20;

export const run = implementNode(
  calibrate,
  async (ctx, { model: ref, tensors, before: earlier }, { method, threads }) => {
    try {
      const before = earlier && (await readCalibration(ctx.artifacts, earlier));
      const given = await givenRanges(ctx);
      const model = await ctx.artifacts.openModel(ref);
      await prepareForQuantization(model, { signal: ctx.signal });
      const feeds = feedsOf(model);
      await using calibrator = await Calibrator.open(model, ctx.evaluator, { threads });
      const resumable = new Resumable(ctx, calibrator);
      const seen = await resumable.takeUp();
      let images = 0;
      for await (const item of tensors) {
        ctx.signal.throwIfAborted();
        if (++images <= seen) continue;
        await calibrator.observe(feedsFor(item, feeds), item.frame.id);
        ctx.progress(images, tensors.total, "images", standing(calibrator.view()));
        await resumable.noteNow();
      }
      const { table, coverage } = calibrator.finish(method, { before, given });
      if (table.images < FEW_IMAGES) {
        ctx.warn(`Only ${table.images} image(s) came: ranges hang on chance. 32 images like those in use serve well.`);
      }
      if (allAlike(table)) {
        ctx.warn(`All ${table.images} images are alike: they tell of one. Give images that differ as those in use do.`);
      }
      if (given) warnOfOthers(ctx, given, Object.keys(table.tensors));
      const bytes = new TextEncoder().encode(JSON.stringify(table));
      return {
        calibration: await ctx.artifacts.put("calibration", bytes),
        report: await ctx.artifacts.report(calibrationReport(table, coverage)),
      };
    } catch (error) {
      if (error instanceof CalibrationError || error instanceof QuantizeError) {
        throw new UserError(error.code, error.message, error.fix, { cause: error });
      }
      throw error;
    }
  },
);

async function givenRanges(ctx: RunContext): Promise<GivenRanges | undefined> {
  const [file] = ctx.sources.table ?? [];
  return file && readRanges(new TextDecoder().decode(await ctx.artifacts.read(file, MOST_TABLE_BYTES)));
}

function warnOfOthers(ctx: RunContext, given: GivenRanges, wanted: readonly string[]): void {
  const missing = wanted.filter((name) => !given.has(name));
  if (missing.length === wanted.length) {
    throw new CalibrationError(
      "table-of-another-model",
      "the table names no tensor of this model that a quantizer asks for",
      "Give the table that was made from this very ONNX file: tensors are known by their names.",
    );
  }
  if (missing.length > 0) {
    ctx.warn(`The table has no range for ${missing.length} of ${wanted.length} tensors: theirs come from the images.`);
  }
}
