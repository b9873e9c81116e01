/** The front of an `autotune` for a person: its points, fastest first, and which one was taken. */
import { z } from "zod";
import { cell, columns } from "./table.ts";

const point = z.looseObject({
  id: z.string(),
  speedup: z.number(),
  ms: z.number(),
  sizeShare: z.number(),
  sqnrDb: z.number().optional(),
  lossPercent: z.number(),
  mAP: z.number().optional(),
  layers: z.looseObject({ int8: z.number(), weights: z.number(), float: z.number() }),
});

const autotuneSchema = z.looseObject({
  kind: z.literal("autotune"),
  provenance: z.string(),
  front: z.array(point),
  chosen: z.looseObject({ id: z.string() }),
});

/** Undefined where the report is none of an autotune. */
export function frontTable(node: string, report: unknown): string | undefined {
  const parsed = autotuneSchema.safeParse(report);
  if (!parsed.success) return undefined;
  const { front, chosen, provenance } = parsed.data;
  const rows = front.map(({ id, speedup, ms, sizeShare, sqnrDb, lossPercent, mAP, layers }) => [
    `${id === chosen.id ? "→" : " "} ${id}`,
    cell(ms, "ms", provenance),
    `${cell(speedup, "", provenance)}x`,
    sizeShare.toFixed(2),
    cell(sqnrDb, "dB", "measured"),
    cell(mAP, "", "measured"),
    `${lossPercent.toFixed(2)} %`,
    `${layers.int8}/${layers.weights}/${layers.float}`,
  ]);
  const head = [node, "time", "speed", "size", "SQNR", "mAP", "loss", "int8/weights/float layers"];
  return columns([head, ...rows]);
}
