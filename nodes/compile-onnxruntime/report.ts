import { z } from "zod";

const counts = z.record(z.string(), z.number());

export const compileOnnxruntimeReport = z.looseObject({
  kind: z.literal("compile-onnxruntime"),
  level: z.string(),
  runtime: z.string(),
  nodesBefore: z.number(),
  nodesAfter: z.number(),
  opsBefore: counts,
  opsAfter: counts,
  fused: counts,
  bytesBefore: z.number(),
  bytesAfter: z.number(),
  warnings: z.array(z.string()),
});
export type CompileOnnxruntimeReport = z.infer<typeof compileOnnxruntimeReport>;
