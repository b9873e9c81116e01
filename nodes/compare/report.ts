import { z } from "zod";

const row = z.looseObject({
  metric: z.string(),
  label: z.string(),
  unit: z.string(),
  better: z.enum(["lower", "higher"]),
  baseline: z.number().optional(),
  candidate: z.number().optional(),
  ratio: z.number().optional(),
  best: z.enum(["baseline", "candidate", "equal"]).optional(),
  provenance: z.object({ baseline: z.string().optional(), candidate: z.string().optional() }),
});

export const compareReport = z.looseObject({
  kind: z.literal("compare"),
  rows: z.array(row),
  warnings: z.array(z.string()),
});
export type CompareReport = z.infer<typeof compareReport>;
export type ReportRow = z.infer<typeof row>;
