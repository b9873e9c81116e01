/** Hands architecture and weights to the exporter; says what the weights are, above all where they are random. */
import { UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import type { ExportPytorchReport } from "./report.ts";
import { exportPytorch } from "./schema.ts";

export const RANDOM_WEIGHTS = "Random weights: accuracy is meaningless; size, shapes and speed are real";

export const run = implementNode(exportPytorch, async (ctx, _inputs, { architecture, width, height, opset }) => {
  const exporter = await ctx.pytorchExporter();
  if (!exporter) {
    throw new UserError(
      "missing-part",
      "Ultralytics' exporter is not set up on this machine",
      "Run `edgewright setup ultralytics`, or export the model elsewhere and use load-model.",
    );
  }
  const [file, ...more] = ctx.sources.weights ?? [];
  if (more.length > 0) throw new UserError("several-weights", "weights names a folder", "Name one .pt file.");
  ctx.progress(0, 1, "exports", `${exporter.name} exports ${architecture}`);
  const options = { architecture, width, height, opset, signal: ctx.signal };
  const made = await exporter.export({ ...options, ...(file && { weights: file }) });
  ctx.progress(1, 1, "exports");
  const report: ExportPytorchReport = {
    kind: "export-pytorch",
    version: 1,
    provenance: "computed",
    exporter: made.exporter,
    licence: "AGPL-3.0, or Ultralytics' commercial licence",
    architecture,
    width,
    height,
    opset,
    ...(file && { weights: { file: file.name, sha256: file.digest, tensors: made.tensors ?? 0 } }),
    parameters: made.parameters,
    fileBytes: made.model.size,
    classes: [...made.classes],
    warnings: file ? [] : [RANDOM_WEIGHTS],
  };
  for (const warning of report.warnings) ctx.warn(warning);
  return { model: made.model, report: await ctx.artifacts.report(report) };
});
