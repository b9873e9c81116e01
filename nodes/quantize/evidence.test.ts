import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { DataType } from "../../onnx/ir/dataType.ts";
import { CANDIDATE_METHODS } from "../../onnx/passes/calibrate/table.ts";
import { collect } from "../../test/support/collect.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { denseNet } from "../../test/support/denseNet.ts";
import { noise } from "../../test/support/outputs.ts";
import { renderFace } from "../../test/support/renderFace.ts";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import { run as calibrate } from "../calibrate/run.ts";
import { run as loadImages } from "../load-images/run.ts";
import type { TensorItem } from "../ports.ts";
import { run as preprocess } from "../preprocess/run.ts";
import { streamOf } from "../streams.ts";
import { Face } from "./face.tsx";
import { quantizeReport } from "./report.ts";
import { run } from "./run.ts";
import type { quantize } from "./schema.ts";

type Params = z.input<typeof quantize.params>;

const CHANNELS = 64;
const SIDE = 4;
const DIMS = [1, CHANNELS, SIDE, SIDE];
const NET = { channels: CHANNELS, side: SIDE, kernel: 1 };

/** Noise; a value of `peak` in every image, which `minmax` alone keeps whole. */
function frames(count: number, peak: number): TensorItem[] {
  return Array.from({ length: count }, (_, index) => {
    const data = noise(CHANNELS * 16, index + 7);
    data[index] = peak;
    const tensors = { "": { dataType: DataType.FLOAT, dims: DIMS, data } };
    return { frame: { id: `${index}.jpg`, index, width: 4, height: 4 }, tensors };
  });
}

interface Job {
  readonly model: Uint8Array;
  readonly items: readonly TensorItem[];
  readonly method?: "auto" | "minmax";
  /** Whether quantize sees the images too. */
  readonly wired?: boolean;
  readonly calibrated?: boolean;
  readonly params?: Params;
}

async function quantized(workspace: NodeWorkspace, job: Job) {
  const { items, method = "auto", wired = true, calibrated = true, params = {} } = job;
  const model = await workspace.artifacts.put("model", job.model);
  const found = calibrated
    ? await workspace.run(calibrate, {
        inputs: { model, tensors: streamOf([...items]), before: undefined },
        params: { method },
      })
    : undefined;
  const inputs = {
    model,
    calibration: found?.outputs.calibration,
    tensors: wired ? streamOf([...items]) : undefined,
  };
  const { outputs, warnings } = await workspace.run(run, { inputs, params });
  if (!outputs.report) throw new Error("no report");
  const report = quantizeReport.parse(await workspace.artifacts.readJson(outputs.report));
  const worstDb = Math.min(...Object.values(report.outputs ?? {}).map(({ sqnrDb }) => sqnrDb));
  return { report, warnings, worstDb };
}

describe("quantize by evidence", () => {
  it("tries every way to choose ranges, takes the truest, and says what each kept", async () => {
    await using workspace = await openNodeWorkspace();
    const { report } = await quantized(workspace, { model: await denseNet(NET), items: frames(16, 300) });
    const tried = report.ranges?.tried ?? [];
    expect(tried.map(({ method }) => method).sort()).toEqual([...CANDIDATE_METHODS].sort());
    const figures = tried.flatMap(({ sqnrDb }) => sqnrDb ?? []);
    expect(figures).toEqual([...figures].sort((a, b) => b - a));
    expect(report.ranges?.method).toBe(tried[0]?.method);
    expect(figures[0]).toBeGreaterThan((figures.at(-1) ?? 0) + 1);
    expect(report.warnings).toEqual([]);
    const large = renderFace(Face, { report, large: true });
    for (const method of CANDIDATE_METHODS) expect(large).toContain(`<td>${method}</td>`);
    expect(renderFace(Face, { report })).toContain(report.ranges?.method);
  });

  it("keeps a layer's own error apart from that of all before it", async () => {
    await using workspace = await openNodeWorkspace();
    const { report } = await quantized(workspace, { model: await denseNet(NET), items: frames(16, 1) });
    const last = report.layers.find(({ node }) => node === "third");
    expect(last?.cumulativeSqnrDb).toBeLessThan(last?.ownSqnrDb ?? 0);
  });

  it("takes the method that the user sets, as it is", async () => {
    await using workspace = await openNodeWorkspace();
    const { report } = await quantized(workspace, {
      model: await denseNet(NET),
      items: frames(16, 30),
      method: "minmax",
    });
    expect(report.ranges).toEqual({ method: "minmax" });
  });

  it.each(["int8", "int8-dynamic", "int4"] as const)(
    "%s without images: says that nothing was measured",
    async (format) => {
      await using workspace = await openNodeWorkspace();
      const { report, warnings } = await quantized(workspace, {
        model: await denseNet(NET),
        items: frames(8, 1),
        wired: false,
        params: { format },
      });
      expect(warnings).toEqual([expect.stringMatching(/^Nothing was measured.* tensors/)]);
      expect(report.warnings).toEqual(warnings);
      expect(report.layers.every(({ cumulativeSqnrDb }) => cumulativeSqnrDb === undefined)).toBe(true);
      expect(renderFace(Face, { report })).toContain("not measured");
      expect(renderFace(Face, { report, large: true })).toContain("Nothing was measured");
    },
  );

  it("int4: takes 8 bits where it must to keep the floor, in as few layers as do", async () => {
    await using workspace = await openNodeWorkspace();
    const job = { model: await denseNet(NET), items: frames(16, 1), calibrated: false };
    const coarse = await quantized(workspace, { ...job, params: { format: "int4", minSqnrDb: 0 } });
    expect(coarse.report.layers.map(({ bits }) => bits)).toEqual([4, 4, 4]);
    const minSqnrDb = Math.min(...coarse.report.layers.map(({ ownSqnrDb }) => ownSqnrDb ?? 0)) - 1;
    expect(coarse.worstDb).toBeLessThan(minSqnrDb);
    const { report, worstDb } = await quantized(workspace, { ...job, params: { format: "int4", minSqnrDb } });
    expect(worstDb).toBeGreaterThan(minSqnrDb);
    const raised = report.layers.filter(({ bits }) => bits === 8);
    expect(raised.length).toBeGreaterThan(0);
    expect(raised.length).toBeLessThan(3);
    for (const { note } of raised) expect(note).toMatch(/at 4 bits it would keep .* dB; the outputs need it truer/);
  });

  it("int8: spares layers until the outputs keep the floor, and says why", async () => {
    await using workspace = await openNodeWorkspace();
    const job = { model: await denseNet(NET), items: frames(16, 1) };
    const all = await quantized(workspace, { ...job, params: { minSqnrDb: 0 } });
    const minSqnrDb = Math.ceil(all.worstDb);
    const { report, worstDb } = await quantized(workspace, { ...job, params: { minSqnrDb } });
    expect(worstDb).toBeGreaterThan(minSqnrDb);
    expect(report.keptFloat.map(({ reason }) => reason).join()).toMatch(/the outputs would keep less than/);
    expect(report.layers.length).toBeGreaterThan(0);
  });
});

const FASTESTDET = { width: 352, height: 352, mode: "stretch", interpolation: "area", colorOrder: "BGR" } as const;

async function pictures(workspace: NodeWorkspace, limit: number): Promise<readonly TensorItem[]> {
  const sources = { source: dataPath("coco", "calibration") };
  const loaded = await workspace.run(loadImages, { inputs: {}, params: { limit }, sources });
  if (!loaded.outputs.images) throw new Error("no images");
  const inputs = { source: loaded.outputs.images, settings: undefined };
  const { outputs } = await workspace.run(preprocess, { inputs, params: FASTESTDET });
  return collect(outputs.tensors ?? streamOf<TensorItem>([]));
}

/** What FastestDet must keep on calibration images that no choice was made by, dB. */
const floors: readonly { readonly params: Params; readonly calibrated: boolean; readonly atLeast: number }[] = [
  { params: { layout: "onnxruntime-x86" }, calibrated: true, atLeast: 13 },
  { params: { layout: "tensorrt" }, calibrated: true, atLeast: 10.5 },
  { params: { format: "int8-dynamic" }, calibrated: false, atLeast: 15 },
  { params: { format: "int4" }, calibrated: false, atLeast: 9 },
];

describe.skipIf(!testData)("quantize by evidence on FastestDet (needs EDGEWRIGHT_TEST_DATA)", () => {
  it.each(floors)("$params keeps $atLeast dB", { timeout: 120_000 }, async ({ params, calibrated, atLeast }) => {
    await using workspace = await openNodeWorkspace();
    const items = await pictures(workspace, 16);
    const model = readFileSync(dataPath("models", "fastestdet.onnx"));
    const { worstDb } = await quantized(workspace, { model, items, calibrated, params });
    expect(worstDb).toBeGreaterThan(atLeast);
  });

  it("warns of what int4 costs where every layer is forced to 4 bits", { timeout: 120_000 }, async () => {
    await using workspace = await openNodeWorkspace();
    const items = await pictures(workspace, 8);
    const model = readFileSync(dataPath("models", "fastestdet.onnx"));
    const params = { format: "int4", minSqnrDb: 0 } as const;
    const { warnings } = await quantized(workspace, { model, items, calibrated: false, params });
    expect(warnings).toEqual([expect.stringMatching(/Expect a visible loss.* dB, measured on 2 .*minSqnrDb to 10/)]);
  });
});
