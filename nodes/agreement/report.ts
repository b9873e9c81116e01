/** What face and terminal read of the report. */
import { z } from "zod";

export const agreementReport = z.object({
  kind: z.literal("agreement"),
  pool: z.string().optional(),
  outputs: z.record(
    z.string(),
    z.object({
      sqnrDb: z.number().optional(),
      cosine: z.number().optional(),
      cosineMean: z.number().optional(),
      cosineMin: z.number().optional(),
      maxAbs: z.number().optional(),
      identical: z.boolean(),
    }),
  ),
});
