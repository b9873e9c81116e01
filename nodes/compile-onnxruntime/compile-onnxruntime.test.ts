import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openOrtSession } from "../../server/runners/ort.ts";
import { seededInputs } from "../../server/runners/seededInputs.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { openNodeWorkspace, testTarget } from "../../test/support/runNode.ts";
import { run } from "./run.ts";

/** Largest difference of two outputs, relative to the largest value. */
async function difference(a: Uint8Array, b: Uint8Array): Promise<number> {
  const [first, second] = [await openOrtSession(a), await openOrtSession(b)];
  const feeds = seededInputs(first.inputs);
  const [left, right] = [await first.run(feeds), await second.run(feeds)];
  let [worst, scale] = [0, 0];
  for (const [name, { data }] of Object.entries(left)) {
    for (let i = 0; i < data.length; i++) {
      worst = Math.max(worst, Math.abs(Number(data[i]) - Number(right[name]?.data[i])));
      scale = Math.max(scale, Math.abs(Number(data[i])));
    }
  }
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  return worst / scale;
}

describe.skipIf(!testData)("compile-onnxruntime (needs EDGEWRIGHT_TEST_DATA)", () => {
  it.each(["fastestdet", "yolox-nano", "rfb-320"])("keeps the numbers of %s and says what it fused", async (name) => {
    await using workspace = await openNodeWorkspace();
    const bytes = readFileSync(dataPath("models", `${name}.onnx`));
    const model = await workspace.artifacts.put("model", bytes);
    for (const level of ["basic", "extended", "all"] as const) {
      const { outputs, warnings } = await workspace.run(run, { inputs: { model }, params: { level } });
      if (!outputs.report || !outputs.model) throw new Error("an output is missing");
      const report = Object(await workspace.artifacts.readJson(outputs.report));
      expect(report).toMatchObject({ kind: "compile-onnxruntime", provenance: "computed", level });
      expect(report.nodesAfter).toBeLessThan(report.nodesBefore);
      expect(await difference(bytes, await workspace.artifacts.read(outputs.model))).toBeLessThan(1e-4);
      expect(warnings.some((text) => text.includes("this CPU only"))).toBe(level === "all");
      if (level === "basic") expect(Object.keys(report.opsAfter).filter((op) => op.includes("."))).toEqual([]);
    }
  });

  it("refuses to bake this CPU's layout into a file for another", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("model", readFileSync(dataPath("models", "fastestdet.onnx")));
    const options = { inputs: { model }, params: { level: "all" as const } };
    const pi = { ...testTarget, id: "pi-5", name: "Raspberry Pi 5", access: "predicted" as const };
    await expect(workspace.run(run, { ...options, target: pi })).rejects.toMatchObject({ code: "other-cpu" });
    const orin = { ...pi, runtime: "tensorrt" as const };
    await expect(workspace.run(run, { ...options, target: orin })).rejects.toMatchObject({ code: "other-runtime" });
  });
});
