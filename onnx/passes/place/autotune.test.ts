import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createOrtEvaluator } from "../../../server/runners/ortEvaluator.ts";
import { denseNet } from "../../../test/support/denseNet.ts";
import { noiseTensor } from "../../../test/support/outputs.ts";
import type { Model } from "../../ir/graph.ts";
import { memorySource } from "../../ir/tensor.ts";
import { readModel } from "../../serde.ts";
import { Calibrator } from "../calibrate/calibrate.ts";
import { autotune } from "./autotune.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgewright-autotune-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("times the given model with its weights as constants, though the file lists them as inputs", async () => {
  const evaluator = createOrtEvaluator({ tempDir: folder });
  const bytes = await denseNet({ channels: 8, side: 6, kernel: 1 });
  const open = async () => {
    const model = await readModel(memorySource(bytes));
    for (const weight of model.graph.initializers) model.graph.listInput(weight);
    return model;
  };
  expect((await open()).graph.inputs).toHaveLength(4);
  const frames = [1, 2].map((seed) => ({ x: noiseTensor([1, 8, 6, 6], seed) }));
  const timed: Model[][] = [];
  await autotune(
    {
      ...{ open, bytes: bytes.length, layout: "onnxruntime-x86", choosing: frames, fitting: frames, judging: frames },
      take: { form: "original", integers: [] },
      async calibrate(prepared) {
        await using calibrator = await Calibrator.open(prepared, evaluator);
        for (const frame of frames) await calibrator.observe(frame);
        return calibrator.finish("auto").table;
      },
    },
    {
      evaluator,
      time: async (models) => {
        timed.push([...models]);
        return models.map(() => 1);
      },
      profile: async () => [],
      report: () => {},
    },
  );
  const [original] = timed.at(-1) ?? [];
  expect(original?.graph.inputs.map(({ name }) => name)).toEqual(["x"]);
});
