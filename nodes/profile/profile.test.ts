import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { deviceProfile } from "../../targets/index.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { openNodeWorkspace, testTarget } from "../../test/support/runNode.ts";
import { profileReport } from "./report.ts";
import { run } from "./run.ts";
import { latencyStatistics, percentile } from "./statistics.ts";

describe("latencyStatistics", () => {
  it("takes nearest-rank percentiles: times that were seen", () => {
    const sorted = Array.from({ length: 100 }, (_, i) => i + 1);
    expect([0, 0.5, 0.9, 0.99, 1].map((share) => percentile(sorted, share))).toEqual([1, 50, 90, 99, 100]);
    expect(percentile([7], 0.99)).toBe(7);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });

  it("counts every run in the histogram, outliers in the last bin, in whatever order they came", () => {
    const { histogram, throughput, meanMs } = latencyStatistics([4, 1000, 5, 4, 5, 6, 4]);
    expect(histogram.startMs).toBe(4);
    expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(7);
    expect(throughput).toBeCloseTo(1000 / meanMs, 10);
  });

  it("lets a long tail not flatten the rest", () => {
    const { histogram } = latencyStatistics([...Array.from({ length: 95 }, () => 4), 900, 900, 900, 900, 900]);
    expect(histogram.startMs + histogram.binMs * histogram.counts.length).toBeCloseTo(8, 9);
    expect(histogram.counts.at(-1)).toBe(5);
  });

  it("holds still where all runs took the same", () =>
    expect(latencyStatistics([2, 2, 2])).toMatchObject({ p50Ms: 2, p99Ms: 2, throughput: 500 }));
});

describe.skipIf(!testData)("profile (needs EDGEWRIGHT_TEST_DATA)", () => {
  it("reports what it measured, and under which conditions", async () => {
    await using workspace = await openNodeWorkspace();
    const bytes = readFileSync(dataPath("models", "fastestdet.onnx"));
    const model = await workspace.artifacts.put("model", bytes);
    const { outputs, progress } = await workspace.run(run, {
      inputs: { model },
      params: { iterations: 20, warmup: 2, threads: 1 },
    });
    if (!outputs.report) throw new Error("no report");
    const report = Object(await workspace.artifacts.readJson(outputs.report));
    expect(report).toMatchObject({
      kind: "profile",
      version: 1,
      provenance: "measured",
      target: "local-cpu",
      sizeBytes: bytes.length,
      iterations: 20,
      threads: 1,
      runtime: expect.stringMatching(/^onnxruntime .* cpu$/),
      conditions: {
        cores: expect.any(Number),
        loadAverage: expect.any(Number),
        inputs: expect.stringContaining("seed"),
      },
    });
    expect(report.p50Ms).toBeGreaterThan(0);
    expect(report.p50Ms).toBeLessThanOrEqual(report.p90Ms);
    expect(report.p90Ms).toBeLessThanOrEqual(report.p99Ms);
    expect(report.peakMemoryBytes).toBeGreaterThan(bytes.length);
    const convs = report.perOp.filter((op: { opType: string }) => op.opType === "Conv");
    expect(convs.length).toBe(70);
    expect(progress.at(-1)).toMatchObject({ done: 20, total: 20 });
  });

  it("stops at the time limit with the runs it made", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "fastestdet.onnx")));
    const { outputs } = await workspace.run(run, {
      inputs: { model },
      params: { iterations: 100_000, warmup: 0, maxSeconds: 0.05 },
    });
    if (!outputs.report) throw new Error("no report");
    const report = Object(await workspace.artifacts.readJson(outputs.report));
    expect(report.iterations).toBeGreaterThanOrEqual(1);
    expect(report.iterations).toBeLessThan(100_000);
  });

  it("refuses a dynamic input with the fix", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "minilm-l6.onnx")));
    await expect(workspace.run(run, { inputs: { model } })).rejects.toMatchObject({
      code: "dynamic-input",
      fix: expect.stringContaining("inputShapes"),
    });
  });

  it("times a text model at the length that is set", { timeout: 60_000 }, async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "minilm-l6.onnx")));
    const params = { iterations: 1, warmup: 0, openSize: 4 };
    const { outputs } = await workspace.run(run, { inputs: { model }, params });
    expect(outputs.report && (await workspace.artifacts.readJson(outputs.report))).toMatchObject({ iterations: 1 });
  });

  it("estimates where no device is at hand: an interval beside each figure, no percentile beyond p50", async () => {
    await using workspace = await openNodeWorkspace();
    const target = deviceProfile("jetson-orin-nano-8gb-maxn-super");
    if (!target) throw new Error("no such target");
    const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "yolox-nano.onnx")));
    const { outputs } = await workspace.run(run, { inputs: { model }, target });
    if (!outputs.report) throw new Error("no report");
    const report = Object(await workspace.artifacts.readJson(outputs.report));
    expect(report).toMatchObject({ provenance: "estimated", target: target.id, sizeBytes: model.size });
    for (const figure of ["p50Ms", "throughput"]) {
      const [low, high] = report.interval[figure];
      expect(low).toBeLessThan(report[figure]);
      expect(high).toBeGreaterThan(report[figure]);
    }
    for (const absent of ["p90Ms", "p99Ms", "iterations", "peakMemoryBytes"]) expect(report).not.toHaveProperty(absent);
    expect(profileReport.safeParse(report).success).toBe(true);
  });

  it("estimates nothing for an engine or a dynamic input", async () => {
    await using workspace = await openNodeWorkspace();
    const target = { ...testTarget, access: "predicted" as const };
    const engine = await workspace.artifacts.put("engine", new Uint8Array([1]));
    await expect(workspace.run(run, { inputs: { model: engine }, target })).rejects.toMatchObject({
      code: "engine-estimate",
    });
    const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "minilm-l6.onnx")));
    await expect(workspace.run(run, { inputs: { model }, target })).rejects.toMatchObject({ code: "dynamic-input" });
  });
});
