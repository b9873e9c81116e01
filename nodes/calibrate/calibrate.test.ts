import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { z } from "zod";
import { DataType } from "../../onnx/ir/dataType.ts";
import { Graph, Model } from "../../onnx/ir/graph.ts";
import type { HostTensor } from "../../onnx/ir/hostTensor.ts";
import { Tensor } from "../../onnx/ir/tensor.ts";
import { byMethod, CALIBRATION_METHODS, CANDIDATE_METHODS } from "../../onnx/passes/calibrate/table.ts";
import { modelBytes } from "../../onnx/serde.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { noise, noiseTensor } from "../../test/support/outputs.ts";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import { readCalibration } from "../calibrationTable.ts";
import type { ArtifactRef, Stream, TensorItem } from "../ports.ts";
import { streamOf } from "../streams.ts";
import { calibrateReport } from "./report.ts";
import { run } from "./run.ts";
import { calibrate } from "./schema.ts";

const DIMS = [1, 2, 4, 4];

/** x -> Conv -> Sigmoid, Mul (SiLU) -> Conv -> y */
function siluNet(): Promise<Uint8Array> {
  const graph = new Graph("silu");
  const model = new Model(graph);
  model.irVersion = 8;
  model.opsetImports.set("", 13);
  const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: DIMS });
  const weight = (name: string) => graph.addInitializer(name, Tensor.f32([2, 2, 1, 1], [12, -3, 4, 9]));
  const p = graph.addNode({ opType: "Conv", name: "first", inputs: [x, weight("w1")], outputs: ["p"] }).output();
  const s = graph.addNode({ opType: "Sigmoid", name: "gate", inputs: [p], outputs: ["s"] }).output();
  const a = graph.addNode({ opType: "Mul", name: "silu", inputs: [p, s], outputs: ["a"] }).output();
  const y = graph.addNode({ opType: "Conv", name: "second", inputs: [a, weight("w2")], outputs: ["y"] }).output();
  y.type = { elemType: DataType.FLOAT, shape: DIMS };
  graph.addOutput(y);
  return modelBytes(model);
}

function items(tensors: readonly HostTensor[]) {
  return streamOf(
    tensors.map(
      (tensor, index): TensorItem => ({
        frame: { id: `${index}.jpg`, index, width: 4, height: 4 },
        tensors: { "": tensor },
      }),
    ),
  );
}

const image = (data: Float32Array): HostTensor => ({ dataType: DataType.FLOAT, dims: DIMS, data });

const images = (count: number, scale = 1) =>
  Array.from({ length: count }, (_, i) => image(noise(32, i + 1).map((v) => v * scale)));

interface Given {
  readonly before?: ArtifactRef<"calibration">;
  readonly sources?: Readonly<Record<string, string>>;
}

async function calibrated(
  workspace: NodeWorkspace,
  tensors: readonly HostTensor[],
  { before, sources = {}, ...params }: Given & z.input<typeof calibrate.params> = {},
) {
  const model = await workspace.artifacts.put("model", await siluNet());
  const result = await workspace.run(run, { inputs: { model, tensors: items(tensors), before }, params, sources });
  const { calibration, report } = result.outputs;
  if (!calibration || !report) throw new Error("an output is missing");
  return {
    calibration,
    progress: result.progress,
    table: await readCalibration(workspace.artifacts, calibration),
    report: calibrateReport.parse(await workspace.artifacts.readJson(report)),
    warnings: result.warnings,
  };
}

describe("calibrate", () => {
  it("observes what a quantizer will ask for, and no more", async () => {
    await using workspace = await openNodeWorkspace();
    const { table } = await calibrated(workspace, images(8));
    expect(Object.keys(table.tensors).sort()).toEqual(["a", "p", "x", "y"]);
    expect(table.images).toBe(8);
    expect(table.tensors.p?.response).toBe("x * Sigmoid");
    expect(table.tensors.x?.response).toBeUndefined();
  });

  it.each(CALIBRATION_METHODS)("%s: a range with zero in it and within what was seen", async (method) => {
    await using workspace = await openNodeWorkspace();
    const { table } = await calibrated(workspace, images(8), { method });
    for (const { min, max, lo, hi, bound, histogram, channels } of Object.values(table.tensors)) {
      expect(lo).toBeLessThanOrEqual(0);
      expect(hi).toBeGreaterThanOrEqual(0);
      expect(lo).toBeGreaterThanOrEqual(Math.min(0, min) * 1.00001);
      expect(hi).toBeLessThanOrEqual(Math.max(0, max) * 1.00001);
      expect(bound).toBeGreaterThan(0);
      expect(histogram.counts.reduce((a, b) => a + b, 0)).toBe(8 * 32);
      expect(channels.mean.length).toBe(2);
    }
  });

  it("auto keeps the range of every candidate, and stands for the first", async () => {
    await using workspace = await openNodeWorkspace();
    const { table } = await calibrated(workspace, images(8));
    expect(table.method).toBe("auto");
    for (const method of CANDIDATE_METHODS) {
      const alone = await calibrated(workspace, images(8), { method });
      const { lo, hi, bound } = alone.table.tensors.p ?? {};
      expect(table.tensors.p?.ranges?.[method]).toEqual({ lo, hi, bound });
      expect(byMethod(table, method).tensors.p).toMatchObject({ lo, hi, bound });
    }
    expect(table.tensors.p).toMatchObject(table.tensors.p?.ranges?.mse ?? {});
  });

  it("minmax sees exactly what numpy would: range, mean and variance per channel", async () => {
    await using workspace = await openNodeWorkspace();
    const tensors = images(3);
    const { table } = await calibrated(workspace, tensors, { method: "minmax" });
    const all = tensors.flatMap(({ data }) => Array.from(data, Number));
    const first = tensors.flatMap(({ data }) => Array.from(data.slice(0, 16), Number));
    const mean = first.reduce((a, b) => a + b, 0) / first.length;
    expect(table.tensors.x?.min).toBe(Math.min(...all));
    expect(table.tensors.x?.hi).toBeCloseTo(Math.max(...all), 5);
    expect(table.tensors.x?.channels.mean[0]).toBeCloseTo(mean, 5);
    expect(table.tensors.x?.channels.variance[0]).toBeCloseTo(
      first.reduce((sum, v) => sum + (v - mean) ** 2, 0) / first.length,
      5,
    );
  });

  it("warns of few images, and names the image that alone stretched the ranges", async () => {
    await using workspace = await openNodeWorkspace();
    const tensors = [...images(4), ...images(1, 40)];
    const { report, warnings } = await calibrated(workspace, tensors);
    expect(warnings.join()).toMatch(/Only 5 image/);
    expect(report.outlierImages[0]).toMatchObject({ image: "4.jpg", tensors: 4 });
    expect(report.settledAfter).toBe(5);
  });

  it("warns where all images are alike, and where one of them differs it does not", async () => {
    await using workspace = await openNodeWorkspace();
    const same = Array.from({ length: 9 }, () => image(noise(32, 1)));
    expect((await calibrated(workspace, same)).warnings.join()).toMatch(/All 9 images are alike/);
    expect((await calibrated(workspace, [...same, ...images(2)])).warnings).toEqual([]);
    expect((await calibrated(workspace, images(1))).warnings.join()).not.toMatch(/alike/);
  });

  it("names the tensor and the image where an activation is not finite", async () => {
    await using workspace = await openNodeWorkspace();
    const tensors = [...images(2), image(new Float32Array(32).fill(Number.NaN))];
    await expect(calibrated(workspace, tensors)).rejects.toMatchObject({
      code: "not-finite",
      message: expect.stringMatching(/"x" .* image 3 \(2\.jpg\)/),
    });
  });

  it("goes on from a calibration of other images as if all had come at once", async () => {
    await using workspace = await openNodeWorkspace();
    const [first, second] = [images(7, 0.3), [...images(5), ...images(1, 40)]];
    const whole = await calibrated(workspace, [...first, ...second]);
    const { calibration } = await calibrated(workspace, first);
    const joined = await calibrated(workspace, second, { before: calibration });
    expect(joined.table.images).toBe(13);
    expect(joined.report.outlierImages).toEqual([{ image: "5.jpg", tensors: 4 }]);
    for (const [name, expected] of Object.entries(whole.table.tensors)) {
      const got = joined.table.tensors[name];
      expect(got?.histogram).toEqual(expected.histogram);
      expect(got?.ranges).toEqual(expected.ranges);
      const { image, bound } = expected.perImage?.widest ?? {};
      expect(got?.perImage?.widest).toMatchObject({ image, bound });
      for (const key of ["mean", "variance", "min", "max"] as const) {
        for (const [c, value] of (expected.channels[key] ?? []).entries()) {
          expect(Math.abs((got?.channels[key]?.[c] ?? Number.NaN) - value)).toBeLessThan(1e-4 * Math.abs(value) + 1e-6);
        }
      }
    }
    const other = await workspace.artifacts.put(
      "calibration",
      new TextEncoder().encode(`${JSON.stringify({ ...whole.table, tensors: {} })}`),
    );
    await expect(calibrated(workspace, second, { before: other })).rejects.toMatchObject({
      code: "calibration-mismatch",
    });
  });

  it("goes on, to the same last digit, from where an earlier run was ended", async () => {
    await using workspace = await openNodeWorkspace();
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const all = [...images(5, 0.3), ...images(1, 40), ...images(6)];
      const model = await workspace.artifacts.put("model", await siluNet());
      const kept = new Map<"note", Uint8Array>();
      const checkpoint = {
        read: async () => kept.get("note"),
        write: async (bytes: Uint8Array) => void kept.set("note", bytes),
      };
      const once = (tensors: Stream<TensorItem>, overrides = {}) =>
        workspace.run(run, { inputs: { model, tensors, before: undefined }, overrides });
      // Each image takes three seconds, and at the tenth the step is ended.
      const ended = async function* () {
        for await (const item of items(all)) {
          if (item.frame.index === 9) throw new Error("ended");
          vi.advanceTimersByTime(3000);
          yield item;
        }
      };
      await expect(once(ended(), { checkpoint })).rejects.toThrow("ended");
      const second = await once(items(all), { checkpoint });
      expect(second.logs).toEqual(["goes on after 8 images, where an earlier run was ended"]);
      expect(second.progress.map(({ done }) => done)).toEqual([9, 10, 11, 12]);
      const whole = await once(items(all));
      expect(second.outputs).toEqual(whole.outputs);
      // What another version left behind is not taken up.
      kept.set("note", new TextEncoder().encode('{"version":0}'));
      const afresh = await once(items(all), { checkpoint });
      expect(afresh.logs).toEqual([]);
      expect(afresh.outputs).toEqual(whole.outputs);
    } finally {
      vi.useRealTimers();
    }
  });

  it("shows the histogram that widened last while it fills", async () => {
    await using workspace = await openNodeWorkspace();
    const { progress } = await calibrated(workspace, images(3));
    expect(progress.at(-1)?.message).toMatch(/^[0-4]\/4 ranges stand, last to widen: \w+ -\d.* [▁-█ ]+ \d/);
  });

  it("takes the ranges of another tool's table, and tells what they cost", async () => {
    await using workspace = await openNodeWorkspace();
    const path = join(workspace.folder, "calibration.cache");
    // 1 / 127 as the scale of p, 2 as that of x: far too narrow, and far too wide.
    writeFileSync(path, "TRT-8601-EntropyCalibration2\np: 3c010204\nx: 40000000\n");
    const own = await calibrated(workspace, images(8), { method: "minmax" });
    const { table, report, warnings } = await calibrated(workspace, images(8), { sources: { table: path } });
    expect(table.method).toBe("given");
    expect(table.tensors.p?.bound).toBeCloseTo(1, 5);
    expect(table.tensors.x).toMatchObject({ lo: -254, hi: 254, bound: 254 });
    expect(table.tensors.a?.hi).toBeGreaterThan(1);
    expect(table.tensors.p?.clipped).toBeGreaterThan(0.5);
    expect(warnings.join()).toMatch(/no range for 2 of 4 tensors/);
    const worst = (name: string, of: typeof report) => of.tensors.find((t) => t.name === name)?.sqnrDb ?? Number.NaN;
    expect(worst("x", report)).toBeLessThan(worst("x", own.report) - 20);
    expect(report.tensors[0]?.name).toBe("x");
    writeFileSync(path, "TRT-8601-EntropyCalibration2\nelsewhere: 3c010204\n");
    await expect(calibrated(workspace, images(8), { sources: { table: path } })).rejects.toMatchObject({
      code: "table-of-another-model",
    });
  });

  it("refuses an empty stream and a model with nothing to quantize", async () => {
    await using workspace = await openNodeWorkspace();
    await expect(calibrated(workspace, [])).rejects.toMatchObject({ code: "no-images" });
    const graph = new Graph("relu");
    const model = new Model(graph);
    model.irVersion = 8;
    model.opsetImports.set("", 13);
    const x = graph.addInput("x", { elemType: DataType.FLOAT, shape: DIMS });
    graph.addOutput(graph.addNode({ opType: "Relu", inputs: [x], outputs: ["y"] }).output());
    const ref = await workspace.artifacts.put("model", await modelBytes(model));
    await expect(
      workspace.run(run, { inputs: { model: ref, tensors: items(images(1)), before: undefined } }),
    ).rejects.toMatchObject({
      code: "nothing-to-quantize",
    });
  });
});

describe.skipIf(!testData)("calibrate (needs EDGEWRIGHT_TEST_DATA)", () => {
  it("knows an old file's layers through their BatchNormalizations", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "rfb-320.onnx")));
    const tensors = streamOf([
      { frame: { id: "0", index: 0, width: 320, height: 240 }, tensors: { "": noiseTensor([1, 3, 240, 320]) } },
    ]);
    const { outputs } = await workspace.run(run, { inputs: { model, tensors, before: undefined } });
    if (!outputs.calibration) throw new Error("no calibration");
    const table = await readCalibration(workspace.artifacts, outputs.calibration);
    // The input and what each of 52 convolutions gives, behind its BatchNormalization and Relu.
    expect(Object.keys(table.tensors).length).toBeGreaterThanOrEqual(53);
    expect(table.tensors["245"]).toBeUndefined();
    expect(table.tensors["247"]).toBeDefined();
  });
});

it("takes documents of earlier versions along as they are (ranges-on-the-grid, sampled-histograms, exact-means)", () => {
  for (const version of [1, 2, 3])
    expect(calibrate.migrations[version]?.up({ method: "mse" })).toEqual({ method: "mse" });
});
