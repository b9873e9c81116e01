/** The front of an `autotune` for a person: its points, fastest first, and which one was taken. */
import { autotuneReport } from "../../nodes/autotune/report.ts";
import { cell, columns } from "./table.ts";

/** Undefined where the report is none of an autotune. */
export function frontTable(node: string, report: unknown): string | undefined {
  const parsed = autotuneReport.safeParse(report);
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
