/** The `evaluate` report as its readers take it: absent means unknown. */
import { z } from "zod";

const fraction = z.number();

export const evaluateReport = z.object({
  kind: z.literal("evaluate"),
  images: z.number(),
  mAP: fraction.optional(),
  mAP50: fraction.optional(),
  perClass: z.record(z.string(), z.object({ AP: fraction, AP50: fraction })).optional(),
  precisionRecall: z.object({ mean: z.array(fraction), perClass: z.record(z.string(), z.array(fraction)) }).optional(),
  top1: fraction.optional(),
  top5: fraction.optional(),
  agreement: z
    .object({ precision: fraction.optional(), recall: fraction.optional(), meanIoU: fraction.optional() })
    .optional(),
});

export type EvaluateReport = z.output<typeof evaluateReport>;
