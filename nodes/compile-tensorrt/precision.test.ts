/** The product's promise for TensorRT: what `quantize` writes, NVIDIA's builder runs in that precision, or we say no. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { memorySource } from "../../onnx/ir/tensor.ts";
import { Calibrator } from "../../onnx/passes/calibrate/calibrate.ts";
import { prepareForQuantization } from "../../onnx/passes/quantize/prepare.ts";
import { type QuantizeOptions, quantize } from "../../onnx/passes/quantize/quantize.ts";
import { readModel } from "../../onnx/serde.ts";
import { createOrtEvaluator } from "../../server/runners/ortEvaluator.ts";
import { seededInputs } from "../../server/runners/seededInputs.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import { run } from "./run.ts";

type Form = Pick<QuantizeOptions, "format" | "layout">;

async function quantized({ artifacts, folder }: NodeWorkspace, name: string, form: Form) {
  const model = await readModel(memorySource(readFileSync(dataPath("models", `${name}.onnx`))));
  const evaluator = createOrtEvaluator({ tempDir: folder });
  await prepareForQuantization(model, { evaluator });
  const calibrator = await Calibrator.open(model, evaluator, { threads: 1 });
  const inputs = model.graph.feeds.map(({ name, type }) => ({
    name,
    dataType: 1,
    dims: type?.shape?.map(Number) ?? [],
  }));
  await calibrator.observe(seededInputs(inputs));
  const { table } = calibrator.finish("minmax");
  await calibrator[Symbol.asyncDispose]();
  const rest = { keepFloat: [], minSqnrDb: Number.NEGATIVE_INFINITY, io: "float32", blockSize: 32, table } as const;
  await quantize(model, { ...form, ...rest });
  return artifacts.saveModel(model);
}

describe.skipIf(!testData)("what quantize writes, for TensorRT (needs EDGEWRIGHT_TEST_DATA)", () => {
  it("refuses the layout for ONNX Runtime before any builder is asked, with the fix", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await quantized(workspace, "fastestdet", { format: "int8", layout: "onnxruntime-x86" });
    await expect(workspace.run(run, { inputs: { model }, params: { builder: "kit" } })).rejects.toMatchObject({
      code: "not-ready-for-tensorrt",
      fix: expect.stringContaining("layout tensorrt"),
    });
  });
});

describe.skipIf(!testData || !process.env.EDGEWRIGHT_TENSORRT_RTX)(
  "what quantize writes, built by TensorRT for RTX (needs EDGEWRIGHT_TENSORRT_RTX and EDGEWRIGHT_TEST_DATA)",
  () => {
    it.each([
      ["fastestdet", "int8", { Int8: 70 }],
      ["fastestdet", "fp16", { Half: 70 }],
      ["yolox-nano", "int8", { Int8: 113 }],
      ["yolox-nano", "fp16", { Half: 113 }],
      ["yolox-nano", "bf16", { BFloat16: 113 }],
      ["rfb-320", "int8", { Int8: 52 }],
      ["rfb-320", "fp16", { Half: 52 }],
      ["rfb-320", "bf16", { BFloat16: 52 }],
    ] as const)("runs all convolutions of %s in %s: %o", async (name, format, convolutions) => {
      await using workspace = await openNodeWorkspace();
      const model = await quantized(workspace, name, { format, layout: "tensorrt" });
      const { outputs } = await workspace.run(run, { inputs: { model }, params: { builder: "tensorrt-rtx" } });
      if (!outputs.report) throw new Error("no report");
      expect(await workspace.artifacts.readJson(outputs.report)).toMatchObject({
        built: true,
        engines: [{ file: "model-sm86.engine", convolutions }],
      });
    });
  },
);
