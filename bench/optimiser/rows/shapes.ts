/** INT8 of graphs with random weights: how long it takes and how fast the result is; accuracy means nothing here. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mulberry32 } from "../../../onnx/seededTensor.ts";
import { runPipeline } from "../edgewright.ts";
import { noise, sentences, writeFeeds } from "../feeds.ts";
import { type JudgeInput, judgeSpeed } from "../judge.ts";
import type { Peers } from "../peers.ts";
import type { VariantResult } from "../result.ts";
import { makeAll, processFigures, type Row } from "../row.ts";
import { CALIBRATION_IMAGES, inputsOf } from "../subjects.ts";
import { ourSettings, ours, theirs } from "./int8.ts";

/** The slow ones take minutes on a graph of this size and are not about speed. */
const PEERS = ["ORT min-max", "NNCF mixed"];

export function shapesRow(name: string): Row {
  const id = `${name}-shapes`;
  return {
    id,
    title: `${name} with random weights, INT8`,
    async run(bench) {
      const { peers, folder } = bench;
      const path = await peers?.graph(name);
      if (!peers || path === undefined) return [];
      const feeds = join(folder, name);
      const inputs = Object.fromEntries((await inputsOf(path)).map(({ name: input, dims }) => [input, dims]));
      await writeFeeds(feeds, noise(inputs, CALIBRATION_IMAGES));
      const set = await ourSettings({ id: name, title: name, path, preprocess: {} });
      const all = [
        ...ours(set, "onnxruntime-x86"),
        ...theirs(peers, { model: path, feeds, layout: "onnxruntime-x86" }).filter(({ name: peer }) =>
          PEERS.includes(peer),
        ),
      ];
      const made = await makeAll(
        bench,
        id,
        all.map((variant) => ({ ...variant, once: true })),
      );
      return withSpeed(peers, { original: path, feeds, made });
    },
  };
}

const EXAMPLES = 64;
const LENGTH = 128;
/** Below which token ids are drawn; every vocabulary of the kind has as many. */
const WORDS = 20_000;

/** The same for an encoder of token ids, by the pipeline for such. */
export function encoderShapesRow(name: string): Row {
  const id = `${name}-shapes`;
  return {
    id,
    title: `${name} with random weights, INT8 and INT4`,
    async run(bench) {
      const { peers, folder } = bench;
      const path = await peers?.graph(name);
      if (!peers || path === undefined) return [];
      const random = mulberry32(1);
      const ids = () => Array.from({ length: LENGTH }, () => Math.floor(random() * WORDS));
      const text = join(folder, `${name}.jsonl`);
      await writeFile(text, Array.from({ length: EXAMPLES }, () => JSON.stringify({ input_ids: ids() })).join("\n"));
      const feeds = join(folder, name);
      await writeFeeds(feeds, sentences(text, 1));
      const set = { "model.source": path, "text.source": text };
      const made = await makeAll(bench, id, [
        ...["int8", "int4"].map((node) => ({
          name: node,
          tool: "edgewright",
          once: true,
          make: (out: string) => runPipeline({ pipeline: "minilm", node, set }, out),
        })),
        {
          name: "ORT dynamic, per channel",
          tool: "onnxruntime",
          once: true,
          make: (out: string) => peers.run("ort_dynamic.py", [path, out]),
        },
      ]);
      return withSpeed(peers, { original: path, feeds, made });
    },
  };
}

async function withSpeed(peers: Peers, input: JudgeInput): Promise<VariantResult[]> {
  const [one, two] = [await judgeSpeed(peers, input, 1), await judgeSpeed(peers, input, 2)];
  return input.made.map((entry): VariantResult => {
    const speed = { 1: one[entry.path], 2: two[entry.path] };
    return {
      ...processFigures(entry, input.original),
      ...(speed[1] !== undefined && speed[2] !== undefined && { speed: { 1: speed[1], 2: speed[2] } }),
    };
  });
}
