import { z } from "zod";

const engine = z.looseObject({
  file: z.string(),
  computeCapability: z.string(),
  digest: z.string(),
  sizeBytes: z.number(),
  buildSeconds: z.number(),
  convolutions: z.record(z.string(), z.number()),
  layerCount: z.number(),
  layers: z.array(
    z.looseObject({ name: z.string(), type: z.string(), precision: z.string(), origins: z.array(z.string()) }),
  ),
});
const kit = z.looseObject({
  commands: z.record(z.string(), z.string()),
  files: z.record(z.string(), z.object({ digest: z.string(), size: z.number() })),
  digest: z.string(),
  path: z.string(),
});

export const compileTensorrtReport = z.looseObject({
  kind: z.literal("compile-tensorrt"),
  built: z.boolean(),
  builder: z.string(),
  engines: z.array(engine).default([]),
  kit: kit.optional(),
  /** What engines for another GPU than the target's are worth. */
  evidence: z.string().optional(),
  warnings: z.array(z.string()),
});
export type CompileTensorrtReport = z.infer<typeof compileTensorrtReport>;
export type EngineReport = z.infer<typeof engine>;
