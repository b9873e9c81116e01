/** INT4 of models whose weights would fill memory: time against copying the file, and resident memory, at two sizes. */
import { mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { runPipeline } from "../edgewright.ts";
import { measuredProcess } from "../measuredProcess.ts";
import type { VariantResult } from "../result.ts";
import { makeAll, processFigures, type Row, type Variant } from "../row.ts";

const GIGABYTES = [1.5, 3];

export const streamingRow: Row = {
  id: "int4-stream",
  title: "INT4 of a large transformer in external data",
  bar: "< 2 GB resident at 3 GB, <= 1.5x the time to copy the file",
  bestPeer: "ORT's quantizer holds all of it",
  async run(bench) {
    const { peers, folder } = bench;
    if (!peers) return [];
    const results: VariantResult[] = [];
    for (const gigabytes of GIGABYTES) {
      const large = join(folder, `large-${gigabytes}`);
      mkdirSync(large);
      const path = join(large, "model.onnx");
      await peers.run("make_large.py", [path, gigabytes]);
      const data = `${path}.data`;
      const variants: Variant[] = [
        { name: `copy, ${gigabytes} GB`, tool: "none", make: () => copy(data, join(large, "copy")) },
        {
          name: `quantize, ${gigabytes} GB`,
          tool: "edgewright",
          once: true,
          make: () => runPipeline({ pipeline: "int4-stream", node: "quantize", set: { "model.source": large } }),
        },
      ];
      const made = await makeAll(bench, `large-${gigabytes}`, variants);
      const sizeMb = statSync(data).size / 1e6;
      results.push(...made.map((entry) => ({ ...processFigures(entry), sizeMb })));
      rmSync(large, { recursive: true });
    }
    return results;
  },
};

/** Of what was just written, as the other side reads it, and to the disk, as the other side writes. */
async function copy(from: string, to: string) {
  const ended = await measuredProcess("sh", ["-c", `cp "$0" "$1" && sync "$1"`, from, to]);
  rmSync(to);
  if (ended.status !== 0) throw new Error(ended.stderr);
  return ended;
}
