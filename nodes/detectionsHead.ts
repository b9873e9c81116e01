/** The lines of a detections file that a face reads. */
import { z } from "zod";
import type { DetectionItem } from "./ports.ts";

const item = z.object({
  frame: z.string(),
  width: z.number().positive(),
  height: z.number().positive(),
  detections: z.array(
    z.object({
      classId: z.number(),
      class: z.string(),
      score: z.number(),
      box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
    }),
  ),
});

/** Lines that cannot be read are left out. */
export function parseDetections(ndjson: string): DetectionItem[] {
  return ndjson.split("\n").flatMap((line) => {
    try {
      const parsed = item.safeParse(JSON.parse(line));
      return parsed.success ? [parsed.data] : [];
    } catch {
      return [];
    }
  });
}
