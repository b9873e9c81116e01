/** What the node tells of a model: its format, for the face and for whoever reads the report. */
import { z } from "zod";

const dim = z.union([z.int().nonnegative(), z.string(), z.null()]);
const value = z.object({
  name: z.string(),
  /** Short name (`f32`); absent where the value is no tensor. */
  dtype: z.string().optional(),
  /** A size, a symbol, or null where a dimension is unknown; absent where the rank is. */
  shape: z.array(dim).optional(),
});
const warning = z.object({
  /** kebab-case, stable. */
  code: z.string(),
  message: z.string(),
  fix: z.string(),
});

export const loadModelReport = z.object({
  kind: z.literal("load-model"),
  version: z.literal(1),
  provenance: z.literal("computed"),
  file: z.string(),
  /** The model file and its data files, bytes. */
  fileBytes: z.int().nonnegative(),
  producer: z.string(),
  irVersion: z.int(),
  /** Version of the ai.onnx operator set. */
  opset: z.int(),
  opsets: z.record(z.string(), z.int()),
  /** What a caller feeds: inputs without an initializer. */
  inputs: z.array(value),
  outputs: z.array(value),
  nodes: z.int().nonnegative(),
  /** Operator (with its domain where that is not ai.onnx) to number of nodes, most frequent first; bodies included. */
  operators: z.record(z.string(), z.int().positive()),
  /** Elements of the constants that operators compute with. */
  parameters: z.int().nonnegative(),
  weightBytes: z.int().nonnegative(),
  /** Multiply-accumulates of one inference; absent where a shape or an operator's cost is unknown. */
  macs: z.number().nonnegative().optional(),
  /** Most activations alive at once, bytes; absent where a shape is unknown. */
  peakActivationBytes: z.number().nonnegative().optional(),
  /** The network's silhouette: stretches of equal height of the feature map, in order; empty where it has none. */
  stages: z.array(
    z.object({ height: z.int().positive(), channels: z.int().positive(), macs: z.number().nonnegative() }),
  ),
  warnings: z.array(warning),
});
export type LoadModelReport = z.output<typeof loadModelReport>;
export type ModelWarning = z.output<typeof warning>;
