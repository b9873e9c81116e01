import type { Model } from "../../onnx/ir/graph.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import { CalibrationError } from "../../onnx/passes/calibrate/calibrationError.ts";
import { measureSqnr } from "../../onnx/passes/quantize/measureSqnr.ts";
import { prepareForQuantization } from "../../onnx/passes/quantize/prepare.ts";
import { quantize as quantizeModel } from "../../onnx/passes/quantize/quantize.ts";
import { QuantizeError } from "../../onnx/passes/quantize/quantizeError.ts";
import { measureSensitivity } from "../../onnx/passes/quantize/sensitivity.ts";
import { UpgradeError } from "../../onnx/passes/upgradeOpset/upgradeError.ts";
import { readCalibration } from "../calibrationTable.ts";
import { type RunContext, UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import type { ArtifactRef, Stream, TensorItem } from "../ports.ts";
import { feedsFor, feedsOf } from "../streams.ts";
import { quantizationReport } from "./report.ts";
import { quantize } from "./schema.ts";

/** Frames that errors are measured on; they are held in memory. */
const MEASURED_FRAMES = 8;
/** Layers whose own cost is measured, the worst predicted ones. */
const SUSPECTS = 16;

export const run = implementNode(quantize, async (ctx, { model: ref, calibration, tensors }, params) => {
  try {
    const table = calibration && (await readCalibration(ctx.artifacts, calibration));
    const model = await openPrepared(ctx, ref, params.format);
    const frames = tensors ? await firstFrames(tensors, model) : [];
    const measured =
      params.format === "int8" && table && frames.length > 0 && params.minSqnrDb > 0
        ? await measureSensitivity(
            {
              open: () => openPrepared(ctx, ref, params.format),
              layout: params.layout,
              table,
              frames: frames.slice(0, 4),
              most: SUSPECTS,
            },
            {
              evaluator: ctx.evaluator,
              signal: ctx.signal,
              progress: (done, total) => ctx.progress(done, total, "layers", "measuring sensitivity"),
            },
          )
        : undefined;
    const result = await quantizeModel(model, { ...params, table, ...(measured && { measured }) });
    const quantized = await ctx.artifacts.saveModel(model);
    const float = await openPrepared(ctx, ref, params.format);
    const outputs = float.graph.outputs.map(({ name }) => name);
    const names = [...new Set([...result.layers.map(({ output }) => output), ...outputs])];
    const sqnr =
      frames.length > 0
        ? await measureSqnr({ float, quantized: model }, names, frames, ctx)
        : new Map<string, number>();
    const sizes = { before: ref.size, after: quantized.size };
    return {
      model: quantized,
      report: await ctx.artifacts.report(
        quantizationReport(result, { params, sizes, sqnr, outputs, frames: frames.length }),
      ),
    };
  } catch (error) {
    throw mendable(error);
  }
});

/** FP16 takes a quantized model too: what is left in float becomes half. */
async function openPrepared(ctx: RunContext, ref: ArtifactRef<"model">, format: string): Promise<Model> {
  const model = await ctx.artifacts.openModel(ref);
  if (format !== "fp16") await prepareForQuantization(model, { signal: ctx.signal });
  return model;
}

async function firstFrames(tensors: Stream<TensorItem>, model: Model): Promise<readonly HostTensors[]> {
  const feeds = feedsOf(model);
  const frames: HostTensors[] = [];
  for await (const item of tensors) {
    frames.push(feedsFor(item, feeds));
    if (frames.length === MEASURED_FRAMES) break;
  }
  return frames;
}

function mendable(error: unknown): unknown {
  if (error instanceof QuantizeError || error instanceof UpgradeError || error instanceof CalibrationError) {
    return new UserError(error.code, error.message, error.fix, { cause: error });
  }
  return error;
}
