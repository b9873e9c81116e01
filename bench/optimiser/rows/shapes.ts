/** INT8 of graphs with random weights: how long it takes and how fast the result is; accuracy means nothing here. */
import { join } from "node:path";
import { noise, writeFeeds } from "../feeds.ts";
import { judgeSpeed } from "../judge.ts";
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
      const input = { original: path, feeds, made };
      const [one, two] = [await judgeSpeed(peers, input, 1), await judgeSpeed(peers, input, 2)];
      return made.map((entry): VariantResult => {
        const speed = { 1: one[entry.path], 2: two[entry.path] };
        return {
          ...processFigures(entry, path),
          ...(speed[1] !== undefined && speed[2] !== undefined && { speed: { 1: speed[1], 2: speed[2] } }),
        };
      });
    },
  };
}
