/** A sentence encoder in INT8 and INT4: cosine of its embeddings to those of FP32, speed at two lengths, size. */
import { join } from "node:path";
import { dataPath } from "../../../test/support/data.ts";
import { runPipeline } from "../edgewright.ts";
import { sentences, writeFeeds } from "../feeds.ts";
import { judgeCosine, judgeSpeed } from "../judge.ts";
import type { VariantResult } from "../result.ts";
import { type Bench, makeAll, processFigures, type Row, type Variant } from "../row.ts";

/** Of the 200, those that were not set apart for calibration. */
const SENTENCES = 136;
const LENGTHS = [32, 128];

export interface MiniLmRow {
  readonly id: string;
  /** Of pipelines/minilm.json. */
  readonly node: "int8" | "int4";
  readonly bar: string;
  readonly bestPeer: string;
}

export function miniLmRow({ id, node, bar, bestPeer }: MiniLmRow): Row {
  return {
    id,
    title: `MiniLM-L6, ${node.toUpperCase()}`,
    bar,
    bestPeer,
    async run(bench) {
      const path = dataPath("models/minilm-l6.onnx");
      const text = dataPath("text/sentences.jsonl");
      const folder = join(bench.folder, "minilm");
      await writeFeeds(join(folder, "all"), sentences(text, SENTENCES));
      for (const length of LENGTHS) await writeFeeds(join(folder, `${length}`), sentences(text, 1, length));
      const made = await makeAll(bench, id, [ours(node, path, text), ...theirs(bench, node, path)]);
      const input = { original: path, feeds: join(folder, "all"), made };
      const { peers } = bench;
      const cosine = peers ? await judgeCosine(peers, input, SENTENCES) : { values: {}, failed: {} };
      const speeds: Readonly<Record<string, number>>[] = [];
      for (const length of peers ? LENGTHS : [])
        if (peers) speeds.push(await judgeSpeed(peers, { ...input, feeds: join(folder, `${length}`) }, 1));
      return made.map((entry): VariantResult => {
        const failed = entry.failed ?? cosine.failed[entry.path];
        const value = cosine.values[entry.path];
        const speed = LENGTHS.flatMap((length, i) => {
          const one = speeds[i]?.[entry.path];
          return one === undefined ? [] : [[`length ${length}`, one] as const];
        });
        return {
          ...processFigures(entry, path),
          ...(failed !== undefined && { failed }),
          ...(value && { cosine: value }),
          ...(speed.length > 0 && { speed: Object.fromEntries(speed) }),
        };
      });
    },
  };
}

function ours(node: string, path: string, text: string): Variant {
  const set = { "model.source": path, "text.source": text };
  return {
    name: node,
    tool: "edgewright",
    once: true,
    make: (out) => runPipeline({ pipeline: "minilm", node, set }, out),
  };
}

function theirs({ peers }: Bench, node: string, path: string): readonly Variant[] {
  if (!peers) return [];
  const variant = (name: string, script: string, ...rest: string[]): Variant => ({
    name,
    tool: "onnxruntime",
    once: true,
    make: (out) => peers.run(script, [path, out, ...rest]),
  });
  return node === "int8"
    ? [variant("ORT dynamic, per channel", "ort_dynamic.py")]
    : [variant("ORT RTN", "ort_int4.py", "rtn"), variant("ORT HQQ", "ort_int4.py", "hqq")];
}
