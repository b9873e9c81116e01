/** Reads a calibration artifact: it may come from another version, another tool, or a hand. */
import { z } from "zod";
import { CALIBRATION_METHODS, CANDIDATE_METHODS, type CalibrationTable } from "../onnx/passes/calibrate/table.ts";
import { type Artifacts, UserError } from "./context.ts";
import type { ArtifactRef } from "./ports.ts";

const numbers = z.array(z.number());
const clipRange = z.object({ lo: z.number(), hi: z.number(), bound: z.number() });

const channels = z.object({
  count: z.number().positive().optional(),
  mean: numbers,
  variance: numbers,
  min: numbers.optional(),
  max: numbers.optional(),
});
const perImage = z.object({
  meanMin: z.number(),
  meanMax: z.number(),
  widest: z.object({ image: z.number(), bound: z.number(), name: z.string().optional() }),
  runnerUp: z.number(),
});

const calibrationTable = z.object({
  kind: z.literal("calibration"),
  version: z.literal(1),
  method: z.enum(["auto", "given", ...CALIBRATION_METHODS]),
  images: z.number(),
  tensors: z.record(
    z.string(),
    clipRange.extend({
      min: z.number(),
      max: z.number(),
      ranges: z.record(z.enum(CANDIDATE_METHODS), clipRange).optional(),
      sqnrDb: z.object({ asymmetric: z.number().optional(), symmetric: z.number().optional() }).optional(),
      clipped: z.number(),
      response: z.string().optional(),
      histogram: z.object({ low: z.number(), width: z.number().nonnegative(), counts: numbers }),
      channels,
      settledAfter: z.number(),
      perImage: perImage.optional(),
    }),
  ),
});

export async function readCalibration(
  artifacts: Pick<Artifacts, "readJson">,
  ref: ArtifactRef<"calibration">,
): Promise<CalibrationTable> {
  const parsed = calibrationTable.safeParse(await artifacts.readJson(ref));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new UserError(
    "bad-calibration",
    `the calibration cannot be read: ${issue ? `${issue.path.join(".")}: ${issue.message}` : "not in this version's form"}`,
    "Run calibrate again.",
    { cause: parsed.error },
  );
}
