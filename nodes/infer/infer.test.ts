import { readFileSync } from "node:fs";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { openOrtSession } from "../../server/runners/ort.ts";
import { seededInputs } from "../../server/runners/seededInputs.ts";
import { collect } from "../../test/support/collect.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { openNodeWorkspace, testTarget } from "../../test/support/runNode.ts";
import type { TensorItem } from "../ports.ts";
import { withTotal } from "../streams.ts";
import { outputPicture } from "./outputPicture.ts";
import { run } from "./run.ts";

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the run left an output out");
  return value;
}

async function* items(tensor: TensorItem["tensors"][string], count: number): AsyncGenerator<TensorItem> {
  for (let index = 0; index < count; index++) {
    yield { frame: { id: `${index}.jpg`, index, width: 640, height: 480 }, tensors: { "": tensor } };
  }
}

describe.skipIf(!testData)("infer (needs EDGEWRIGHT_TEST_DATA)", () => {
  it("passes on what the runtime gives, frame by frame, and opens the model with the first", async () => {
    await using workspace = await openNodeWorkspace();
    const path = dataPath("models", "fastestdet.onnx");
    const session = await openOrtSession(path);
    const feeds = seededInputs(session.inputs);
    const expected = (await session.run(feeds))["758"];
    await session[Symbol.asyncDispose]();
    const [feed] = Object.values(feeds);
    if (!feed) throw new Error("no input");
    const model = await workspace.artifacts.put("model", readFileSync(path));

    const { outputs, progress, logs, previews } = await workspace.run(run, {
      inputs: { model, tensors: withTotal(items(feed, 3), 3) },
      params: { threads: 1 },
    });
    expect(outputs.tensors?.total).toBe(3);
    expect(logs).toEqual([]);
    const results = await collect(given(outputs.tensors));
    expect(results.map((item) => item.frame.id)).toEqual(["0.jpg", "1.jpg", "2.jpg"]);
    for (const item of results) expect(item.tensors["758"]?.data).toEqual(expected?.data);
    expect(progress.at(-1)).toMatchObject({ done: 3, total: 3 });
    expect(logs).toEqual([expect.stringContaining("outputs 758 [1,85,22,22]")]);
    expect(previews.length).toBe(2);
  });

  it("says that another machine runs it where the target is only predicted", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "fastestdet.onnx")));
    const tensor = { dataType: 1, dims: [1, 3, 352, 352], data: new Float32Array(3 * 352 * 352) };
    const { outputs, logs } = await workspace.run(run, {
      inputs: { model, tensors: items(tensor, 1) },
      target: { ...testTarget, name: "Orin Nano", access: "predicted" },
    });
    await collect(given(outputs.tensors));
    expect(logs[0]).toContain("Orin Nano is not at hand");
  });
});

describe("infer", () => {
  it("refuses an engine where no TensorRT runtime is, and says what to wire", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("engine", new Uint8Array([1]));
    const tensor = { dataType: 1, dims: [1], data: new Float32Array(1) };
    const { outputs } = await workspace.run(run, { inputs: { model, tensors: items(tensor, 1) } });
    await expect(collect(given(outputs.tensors))).rejects.toMatchObject({
      code: "no-tensorrt-runtime",
      fix: expect.stringContaining("ONNX model"),
    });
  });
});

describe("outputPicture", () => {
  const picture = async (dims: number[], length: number) => {
    const data = Float32Array.from({ length }, (_, i) => i);
    return sharp(await outputPicture({ y: { dataType: 1, dims, data } })).metadata();
  };
  it("keeps the shape of a map", async () =>
    expect(await picture([1, 85, 22, 44], 85 * 22 * 44)).toMatchObject({ format: "png", width: 96, height: 48 }));
  it("bounds a long list of boxes", async () =>
    expect((await picture([1, 3549, 85], 3549 * 85)).height).toBeLessThanOrEqual(160));
  it("survives a scalar and numbers that are none", async () => {
    const png = await outputPicture({ y: { dataType: 1, dims: [], data: new Float32Array([Number.NaN]) } });
    expect(png.length).toBeGreaterThan(0);
  });
});
