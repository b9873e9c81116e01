/** Inferred types against what ONNX Runtime computes: every value of real graphs, as exported and as it rewrites them. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inferShapes } from "../../onnx/infer.ts";
import { DataType } from "../../onnx/ir/dataType.ts";
import type { Model, Shape } from "../../onnx/ir/graph.ts";
import type { HostTensor, HostTensors } from "../../onnx/ir/hostTensor.ts";
import { memorySource } from "../../onnx/ir/tensor.ts";
import { readModel } from "../../onnx/serde.ts";
import { type OptimizationLevel, openOrtSession } from "../../server/runners/ort.ts";
import { createOrtEvaluator } from "../../server/runners/ortEvaluator.ts";
import { dataPath, testData } from "../support/data.ts";

const SYMBOLS: Readonly<Record<string, number>> = { batch: 2, sequence: 77 };
const bind = (shape: Shape | undefined) => shape?.map((dim) => (typeof dim === "string" ? (SYMBOLS[dim] ?? dim) : dim));

function feedsFor(model: Model): HostTensors {
  const feeds: Record<string, HostTensor> = {};
  for (const { name, type } of model.graph.feeds) {
    const dims = (bind(type?.shape) ?? []).map(Number);
    const size = dims.reduce((a, b) => a * b, 1);
    const data =
      type?.elemType === DataType.INT64 ? new BigInt64Array(size).fill(1n) : new Float32Array(size).fill(0.5);
    feeds[name] = { dataType: type?.elemType ?? DataType.FLOAT, dims, data };
  }
  return feeds;
}

describe.skipIf(!testData)("inferred types against ONNX Runtime (needs EDGEWRIGHT_TEST_DATA)", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "edgewright-shapes-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function optimized(name: string, optimization: OptimizationLevel): Promise<string> {
    const path = join(folder, `${name}.${optimization}.onnx`);
    await using _session = await openOrtSession(dataPath(`models/${name}.onnx`), { optimization, dump: { path } });
    return path;
  }

  const cases = ["fastestdet", "yolox-nano", "rfb-320", "minilm-l6"].flatMap((name) =>
    (["disabled", "extended"] as const).map((level) => ({ name, level })),
  );
  it.each(cases)("$name, graph optimisation $level", { timeout: 60_000 }, async ({ name, level }) => {
    const model = await readModel(memorySource(await readFile(await optimized(name, level))));
    const computed = [...model.graph.values.values()].filter((value) => value.producer);
    for (const value of computed) value.type = undefined;
    expect(inferShapes(model).unknown).toEqual([]);
    const wanted = computed.filter((value) => value.type).map((value) => value.name);
    expect(wanted.length).toBe(computed.length);

    const inferred = new Map(computed.map((value) => [value.name, value.type]));
    await using session = await createOrtEvaluator({ tempDir: folder }).open(model, { alsoReturn: wanted });
    const results = await session.run(feedsFor(model));
    for (const [value, { dims, dataType }] of Object.entries(results)) {
      const type = inferred.get(value);
      expect([value, type?.elemType, bind(type?.shape)]).toEqual([value, dataType, dims]);
    }
    expect(Object.keys(results).length).toBeGreaterThanOrEqual(wanted.length);
  });
});
