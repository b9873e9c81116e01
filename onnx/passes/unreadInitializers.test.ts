import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOrtEvaluator } from "../../server/runners/ortEvaluator.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { noiseTensor } from "../../test/support/outputs.ts";
import { modelFrom } from "../../test/support/randomGraph.ts";
import type { Graph, Model } from "../ir/graph.ts";
import { memorySource } from "../ir/tensor.ts";
import { readModel } from "../serde.ts";
import { Calibrator } from "./calibrate/calibrate.ts";
import { type PassContext, runPasses } from "./pass.ts";
import { prepareForPruning, pruneChannels } from "./prune/prune.ts";
import { pruneWeights } from "./prune/unstructured.ts";
import { FORMATS } from "./quantize/format.ts";
import { prepareForQuantization } from "./quantize/prepare.ts";
import { quantize } from "./quantize/quantize.ts";
import { simplify } from "./simplify/simplify.ts";
import { unreadInitializers } from "./unreadInitializers.ts";
import { upgradeOpset } from "./upgradeOpset.ts";

let tempDir = "";
beforeAll(() => {
  tempDir = mkdtempSync(join(tmpdir(), "unread-"));
});
afterAll(() => rmSync(tempDir, { recursive: true, force: true }));

interface Case {
  readonly load: () => Promise<Model>;
  readonly dims: readonly number[];
}

const sources: [string, Case][] = [
  [
    "a small network",
    {
      load: async () =>
        modelFrom({
          seed: 7,
          steps: (["relu", "depthwise", "batchNorm", "conv", "relu", "shuffle", "conv"] as const).map((step) => ({
            step,
            pick: 3,
          })),
        }),
      dims: [1, 4, 8, 8],
    },
  ],
];
if (testData) {
  const load = async () => readModel(memorySource(await readFile(dataPath("models", "fastestdet.onnx"))));
  sources.push(["FastestDet", { load, dims: [1, 3, 352, 352] }]);
}

function unreadNames(graph: Graph): string[] {
  const bodies = graph.nodes.flatMap((node) => node.subgraphs.flatMap(unreadNames));
  return [...unreadInitializers(graph).map(({ name }) => name), ...bodies];
}

function pruning(repair: boolean) {
  return async (model: Model, { dims }: Case, ctx: PassContext) => {
    const items = [1, 2, 3].map((seed) => ({ [model.graph.feeds[0]?.name ?? ""]: noiseTensor(dims, seed) }));
    await pruneChannels(model, { keep: 0.9, importance: "l2", scope: "global", multiple: 4, repair, items }, ctx);
  };
}

function quantizing(format: (typeof FORMATS)[number]) {
  return async (model: Model, { dims }: Case, ctx: PassContext) => {
    if (format !== "fp16") await prepareForQuantization(model);
    const { evaluator } = ctx;
    if (!evaluator) throw new Error("no evaluator");
    await using calibrator = await Calibrator.open(model, evaluator);
    await calibrator.observe({ [model.graph.feeds[0]?.name ?? ""]: noiseTensor(dims) });
    const { table } = calibrator.finish("minmax");
    await quantize(model, {
      format,
      table,
      layout: "onnxruntime-x86",
      keepFloat: [],
      minSqnrDb: 0,
      io: "float32",
      blockSize: 32,
    });
  };
}

const passes: [string, (model: Model, source: Case, ctx: PassContext) => Promise<unknown>][] = [
  ["simplify", (model, _, ctx) => runPasses(model, [simplify()], ctx)],
  ["prune", pruning(false)],
  ["prune with repair", pruning(true)],
  [
    "unstructured pruning",
    async (model, _, ctx) => {
      await runPasses(model, [prepareForPruning], ctx);
      await pruneWeights(model, { sparsity: 0.3 }, ctx);
    },
  ],
  ["upgradeOpset", async (model) => upgradeOpset(model, 21)],
  ...FORMATS.map((format): (typeof passes)[number] => [`quantize to ${format}`, quantizing(format)]),
];

describe.each(sources)("no pass leaves a constant that nothing reads in %s", (_, source) => {
  it.each(passes)("%s", async (_name, run) => {
    const model = await source.load();
    await run(model, source, { evaluator: createOrtEvaluator({ tempDir }) });
    expect(unreadNames(model.graph)).toEqual([]);
  });
});
