/** Channels taken out at several shares of the multiply-adds: with repair, without it, and by magnitude alone. */
import { runPipeline } from "../edgewright.ts";
import { judgeAccuracy, judgeSpeed, judgeSqnr } from "../judge.ts";
import type { VariantResult } from "../result.ts";
import { makeAll, processFigures, type Row, type Variant } from "../row.ts";
import { HELD_BACK_IMAGES, type Subject } from "../subjects.ts";
import { ourSettings, writePictures } from "./int8.ts";

export interface PruneRow {
  readonly id: string;
  readonly subject: Subject;
  /** Shares of the multiply-adds to keep. */
  readonly shares: readonly number[];
  readonly bar?: string;
  readonly bestPeer?: string;
}

const WAYS = {
  repair: {},
  "no repair": { "prune.repair": false },
  magnitude: { "prune.repair": false, "prune.importance": "l2" },
} as const;

export function pruneRow({ id, subject, shares, bar, bestPeer }: PruneRow): Row {
  return {
    id,
    title: `${subject.title}, pruned`,
    ...(bar && { bar }),
    ...(bestPeer && { bestPeer }),
    async run(bench) {
      const { held } = await writePictures(bench, subject);
      const set = await ourSettings(subject);
      const variants = shares.flatMap((macs) =>
        Object.entries(WAYS).map(
          ([way, params]): Variant => ({
            name: `${way} ${macs}`,
            tool: "edgewright",
            once: true,
            make: (out) =>
              runPipeline(
                { pipeline: "prune-repair", node: "prune", set: { ...set, ...params, "prune.macs": macs } },
                out,
              ),
          }),
        ),
      );
      const made = await makeAll(bench, id, variants);
      const input = { original: subject.path, feeds: held, made };
      const sqnr = bench.peers ? await judgeSqnr(bench.peers, input, HELD_BACK_IMAGES) : undefined;
      const speed = bench.peers ? await judgeSpeed(bench.peers, input, 1) : {};
      const results: VariantResult[] = [
        { name: "FP32", tool: "none", ...(await judgeAccuracy(subject, subject.path)) },
      ];
      for (const entry of made) {
        const one = speed[entry.path];
        const sqnrDb = sqnr?.values[entry.path];
        results.push({
          ...processFigures(entry, subject.path),
          ...macsLeft(entry.runs.at(-1)?.reports?.["prune.report"]),
          ...(sqnrDb && { sqnrDb }),
          ...(one !== undefined && { speed: { 1: one } }),
          ...(entry.failed === undefined && (await judgeAccuracy(subject, entry.path))),
        });
      }
      return results;
    },
  };
}

/** The share that is truly left, as the report says it. */
function macsLeft(report: unknown): { macs?: number } {
  const { macsShare }: { macsShare?: number } = Object.fromEntries(Object.entries(report ?? {}));
  return macsShare === undefined ? {} : { macs: macsShare };
}
