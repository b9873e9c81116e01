import { cloneModel } from "../../onnx/cloneModel.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import { Calibrator } from "../../onnx/passes/calibrate/calibrate.ts";
import { CalibrationError } from "../../onnx/passes/calibrate/calibrationError.ts";
import type { CalibrationTable } from "../../onnx/passes/calibrate/table.ts";
import { beyondHalf } from "../../onnx/passes/quantize/beyondHalf.ts";
import type { Format } from "../../onnx/passes/quantize/format.ts";
import { layerInputs } from "../../onnx/passes/quantize/layerInputs.ts";
import type { LayoutName } from "../../onnx/passes/quantize/layout.ts";
import { measureSqnr } from "../../onnx/passes/quantize/measureSqnr.ts";
import type { MeasuringContext } from "../../onnx/passes/quantize/outputReference.ts";
import { prepareForQuantization } from "../../onnx/passes/quantize/prepare.ts";
import { type QuantizeOptions, quantize as quantizeModel } from "../../onnx/passes/quantize/quantize.ts";
import { type EvidentQuantization, quantizeByEvidence } from "../../onnx/passes/quantize/quantizeByEvidence.ts";
import { QuantizeError } from "../../onnx/passes/quantize/quantizeError.ts";
import { simulateBfloat16 } from "../../onnx/passes/quantize/simulateBfloat16.ts";
import { withinBudget } from "../../onnx/passes/quantize/withinBudget.ts";
import { UpgradeError } from "../../onnx/passes/upgradeOpset/upgradeError.ts";
import { readCalibration } from "../calibrationTable.ts";
import { type RunContext, UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import type { ArtifactRef } from "../ports.ts";
import { type HeldFrames, holdFrames, partFrames } from "./heldFrames.ts";
import { quantizationReport } from "./report.ts";
import { BF16_NEEDS_TENSORRT, quantize } from "./schema.ts";

export const run = implementNode(quantize, async (ctx, { model: ref, calibration, tensors }, params) => {
  try {
    if (params.format === "bf16") refuseBfloat16(ctx.target, params.layout);
    const float = await openPrepared(ctx, ref, params.format);
    const open = async () => cloneModel(float);
    const frames = await holdFrames(tensors, float);
    const given = calibration && (await readCalibration(ctx.artifacts, calibration));
    const measures = frames.choosing.length > 0;
    const table =
      given ?? (measures && SEES_INPUTS.includes(params.format) ? await observe(ctx, float, frames) : undefined);
    const inputs = measures && params.format === "int4" ? layerInputs(float, frames.choosing, ctx) : undefined;
    const beyond = measures && params.format === "fp16" ? await beyondHalf(float, frames.choosing, ctx) : undefined;
    const options = { ...params, table, inputs, beyond };
    const { model, result, methods, steps, ...from } = measures
      ? await byEvidence(ctx, options, { open, float, frames })
      : await once(options, open);
    const quantized = await ctx.artifacts.saveModel(model);
    const outputs = float.graph.outputs.map(({ name }) => name);
    const names = [...new Set([...result.layers.map(({ output }) => output), ...outputs])];
    const before = await from.open();
    if (measures) ctx.progress(0, 1, "tries", "measuring layers");
    const sqnr = measures
      ? await measureSqnr({ float: before, quantized: await simulateBfloat16(model) }, names, frames.judging, ctx)
      : undefined;
    const report = quantizationReport(result, {
      params,
      sizes: { before: ref.size, after: quantized.size },
      outputs,
      measured: sqnr && { sqnr, frames: frames.judging.length },
      steps,
      ranges: given && params.format === "int8" ? { method: given.method, tried: methods } : undefined,
    });
    for (const warning of report.warnings) ctx.warn(warning);
    return { model: quantized, report: await ctx.artifacts.report(report) };
  } catch (error) {
    throw mendable(error);
  }
});

/** Formats that need no calibration, yet weigh weights by what they multiply where that was seen. */
const SEES_INPUTS: readonly Format[] = ["int8-dynamic", "int4"];

async function observe(ctx: RunContext, float: Model, { choosing }: HeldFrames): Promise<CalibrationTable> {
  await using calibrator = await Calibrator.open(float, ctx.evaluator);
  for (const feeds of choosing) {
    ctx.signal.throwIfAborted();
    await calibrator.observe(feeds);
  }
  return calibrator.finish("minmax").table;
}

async function byEvidence(
  ctx: RunContext,
  options: QuantizeOptions,
  { open, float, frames }: { open: () => Promise<Model>; float: Model; frames: HeldFrames },
): Promise<EvidentQuantization> {
  const { evaluator, signal } = ctx;
  const measuring: MeasuringContext = {
    evaluator,
    signal,
    progress: (done, total, message) => ctx.progress(done, total, "tries", message),
  };
  return quantizeByEvidence(options, { open, ...(await partFrames(float, frames.choosing, measuring)) }, measuring);
}

async function once(options: QuantizeOptions, open: () => Promise<Model>): Promise<EvidentQuantization> {
  const { format, maxMb } = options;
  const sized = format === "int4" && maxMb ? await withinBudget(open, options, { maxBytes: maxMb * 1e6 }) : undefined;
  const model = await open();
  return {
    model,
    result: await quantizeModel(model, sized ? { ...options, minSqnrDb: 0, spared: sized } : options),
    open,
  };
}

/** NVIDIA's builder refuses BF16 below this compute capability. */
const BF16_FROM = 8;

/** A model for TensorRT may be made anywhere; where the target has TensorRT, it must be able to run it. */
function refuseBfloat16({ name, computeCapability }: RunContext["target"], layout: LayoutName): void {
  if (layout !== "tensorrt")
    throw new UserError("bf16-onnxruntime", BF16_NEEDS_TENSORRT.message, BF16_NEEDS_TENSORRT.fix);
  if (computeCapability === undefined || Number(computeCapability) >= BF16_FROM) return;
  throw new UserError(
    "bf16-capability",
    `${name} has compute capability ${computeCapability}; BF16 needs ${BF16_FROM}.0`,
    "Choose the format fp16, or a target of compute capability 8.0 or newer.",
  );
}

/** 16-bit floats take a quantized model too: what is left in float becomes half. */
async function openPrepared(ctx: RunContext, ref: ArtifactRef<"model">, format: string): Promise<Model> {
  const model = await ctx.artifacts.openModel(ref);
  if (format !== "fp16" && format !== "bf16") await prepareForQuantization(model, { signal: ctx.signal });
  return model;
}

function mendable(error: unknown): unknown {
  if (error instanceof QuantizeError || error instanceof UpgradeError || error instanceof CalibrationError) {
    return new UserError(error.code, error.message, error.fix, { cause: error });
  }
  return error;
}
