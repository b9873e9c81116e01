import { z } from "zod";

export const exportPytorchReport = z.object({
  kind: z.literal("export-pytorch"),
  version: z.literal(1),
  provenance: z.literal("computed"),
  /** With its version, and PyTorch's. */
  exporter: z.string(),
  licence: z.string(),
  architecture: z.string(),
  width: z.int(),
  height: z.int(),
  opset: z.int(),
  /** Absent where they are random. */
  weights: z.object({ file: z.string(), sha256: z.string(), tensors: z.int() }).optional(),
  parameters: z.int(),
  fileBytes: z.int(),
  /** Names that the checkpoint gives its classes. */
  classes: z.array(z.string()),
  warnings: z.array(z.string()),
});
export type ExportPytorchReport = z.output<typeof exportPytorchReport>;
