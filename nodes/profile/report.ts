/** What a profile report holds, for readers: measured and estimated ones in one form, absent where unknown. */
import { z } from "zod";

const interval = z.tuple([z.number(), z.number()]);

export const profileReport = z.looseObject({
  kind: z.literal("profile"),
  provenance: z.string(),
  target: z.string(),
  p50Ms: z.number(),
  p90Ms: z.number().optional(),
  p99Ms: z.number().optional(),
  cpuMs: z.number().optional(),
  throughput: z.number().optional(),
  sizeBytes: z.number().optional(),
  peakMemoryBytes: z.number().optional(),
  iterations: z.number().optional(),
  threads: z.number().optional(),
  runtime: z.string().optional(),
  histogram: z.object({ startMs: z.number(), binMs: z.number(), counts: z.array(z.number()).max(1000) }).optional(),
  perOp: z.array(z.looseObject({ node: z.string(), opType: z.string(), ms: z.number() })).default([]),
  interval: z.partialRecord(z.string(), interval).default({}),
  conditions: z.record(z.string(), z.unknown()).default({}),
});
export type ProfileReport = z.infer<typeof profileReport>;
