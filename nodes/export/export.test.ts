import { readFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readRanges } from "../../onnx/passes/calibrate/foreignTables.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { openNodeWorkspace } from "../../test/support/runNode.ts";
import { preprocessParams } from "../preprocess/schema.ts";
import { run } from "./run.ts";
import { export as exportNode } from "./schema.ts";

const bytes = (json: unknown) => new TextEncoder().encode(JSON.stringify(json));
const files = async (folder: string) => (await readdir(folder, { recursive: true })).sort();

describe("export", () => {
  it.each(["", "..", "../up", "a/b", ".hidden", "a\\b", "x".repeat(65)])("refuses the name %j", (name) =>
    expect(exportNode.params.safeParse({ name }).success).toBe(false),
  );

  it("replaces an earlier export as a whole and leaves nothing else behind", async () => {
    await using workspace = await openNodeWorkspace();
    const { artifacts, folder } = workspace;
    const model = await artifacts.put("engine", new Uint8Array([1, 2, 3]));
    const report = [
      await artifacts.put("report", bytes({ kind: "profile", provenance: "measured", p50Ms: 3.25, target: "orin" })),
      await artifacts.put("report", bytes({ kind: "profile", provenance: "estimated" })),
      await artifacts.put("report", bytes({ kind: "../evil" })),
    ];
    await workspace.run(run, {
      inputs: { model, settings: undefined, calibration: undefined, report },
      params: { name: "edge" },
    });
    const { logs } = await workspace.run(run, {
      inputs: { model, settings: undefined, calibration: undefined, report: report.slice(0, 1) },
      params: { name: "edge" },
    });
    expect(await readdir(join(folder, "exports"))).toEqual(["edge"]);
    expect(await files(join(folder, "exports", "edge"))).toEqual([
      "README.md",
      "model.engine",
      "reports",
      "reports/profile.json",
    ]);
    expect(await readFile(join(folder, "exports", "edge", "README.md"), "utf8")).toContain(
      "p50, ms: 3.25 (measured on orin)",
    );
    expect(logs).toEqual([expect.stringContaining("exports/edge")]);
  });

  it("says what built an engine and how it is loaded", async () => {
    await using workspace = await openNodeWorkspace();
    const { artifacts, folder } = workspace;
    const model = await artifacts.put("engine", new Uint8Array([1]));
    const text = async (builder: string) => {
      const json = { kind: "compile-tensorrt", builder, engines: [{ computeCapability: "8.6" }] };
      const report = [await artifacts.put("report", bytes(json))];
      await workspace.run(run, { inputs: { model, settings: undefined, calibration: undefined, report } });
      return readFile(join(folder, "exports", "model", "README.md"), "utf8");
    };
    expect(await text("trtexec 10.3.0")).toContain("trtexec --loadEngine=model.engine");
    const rtx = await text("tensorrt-rtx 1.7.1.116");
    expect(rtx).toContain("Built by tensorrt-rtx 1.7.1.116 for compute capability 8.6.");
    expect(rtx).not.toContain("trtexec --loadEngine");
  });

  it("numbers reports of one kind and takes no path from a report", async () => {
    await using workspace = await openNodeWorkspace();
    const { artifacts, folder } = workspace;
    const model = await artifacts.put("engine", new Uint8Array([1]));
    const kinds = ["profile", "profile", "../evil"];
    const report = await Promise.all(kinds.map((kind, i) => artifacts.put("report", bytes({ kind, i }))));
    await workspace.run(run, { inputs: { model, settings: undefined, calibration: undefined, report } });
    expect((await readdir(join(folder, "exports", "model", "reports"))).sort()).toEqual([
      "profile-2.json",
      "profile.json",
      "report.json",
    ]);
  });

  it("writes a build kit where no engine was built, and says so", async () => {
    await using workspace = await openNodeWorkspace();
    const { artifacts, folder } = workspace;
    const build = await artifacts.put("engine", new Uint8Array([1]));
    const { digest } = await artifacts.putTree("engine", { "build.sh": build });
    const report = [
      await artifacts.put("report", bytes({ kind: "compile-tensorrt", builder: "kit", kit: { digest } })),
    ];
    const inputs = { model: undefined, settings: undefined, calibration: undefined };
    await workspace.run(run, { inputs: { ...inputs, report } });
    const at = join(folder, "exports", "model");
    expect(await files(at)).toEqual(["README.md", "kit", "kit/build.sh", "reports", "reports/compile-tensorrt.json"]);
    expect(await readFile(join(at, "README.md"), "utf8")).toContain("No engine was built");
    await expect(workspace.run(run, { inputs: { ...inputs, report: [] } })).rejects.toMatchObject({ code: "no-model" });
  });

  it("writes the ranges in the forms that other tools read", async () => {
    await using workspace = await openNodeWorkspace();
    const { artifacts, folder } = workspace;
    const model = await artifacts.put("engine", new Uint8Array([1]));
    const tensor = {
      ...{ min: -1, max: 2, lo: -1, hi: 2, bound: 2, clipped: 0, settledAfter: 1 },
      ...{ histogram: { low: 0, width: 0, counts: [] }, channels: { mean: [], variance: [] } },
    };
    const table = { kind: "calibration", version: 1, method: "mse", images: 1, tensors: { conv: tensor } };
    const calibration = await artifacts.put("calibration", bytes(table));
    await workspace.run(run, { inputs: { model, settings: undefined, calibration, report: [] } });
    const at = join(folder, "exports", "model");
    expect(await readFile(join(at, "calibration", "tensorrt.cache"), "utf8")).toMatch(
      /^TRT-\d+-\w+\nconv: 3c810204\n$/,
    );
    for (const name of ["onnxruntime.json", "calibration.json"]) {
      const ranges = readRanges(await readFile(join(at, "calibration", name), "utf8"));
      expect(ranges.get("conv")).toEqual({ lo: -1, hi: 2, bound: 2 });
    }
    expect(await readFile(join(at, "README.md"), "utf8")).toContain("calibration/tensorrt.cache");
  });

  it("keeps the old export when the run is cancelled", async () => {
    await using workspace = await openNodeWorkspace();
    const model = await workspace.artifacts.put("engine", new Uint8Array([1]));
    const inputs = { model, settings: undefined, calibration: undefined, report: [] };
    await workspace.run(run, { inputs });
    await expect(workspace.run(run, { inputs, signal: AbortSignal.abort() })).rejects.toThrow();
    expect(await files(join(workspace.folder, "exports"))).toEqual(["model", "model/README.md", "model/model.engine"]);
  });
});

describe.skipIf(!testData)("export of a real model (needs EDGEWRIGHT_TEST_DATA)", () => {
  it("says what goes in, what comes out and how a picture becomes the input", async () => {
    await using workspace = await openNodeWorkspace();
    const { artifacts, folder } = workspace;
    const original = readFileSync(dataPath("models", "fastestdet.onnx"));
    const model = await artifacts.put("model", original);
    const params = { width: 352, height: 352, mode: "stretch", interpolation: "area", colorOrder: "BGR" } as const;
    const settings = await artifacts.put(
      "settings",
      bytes({ kind: "settings", version: 1, ...preprocessParams.parse(params) }),
    );
    await workspace.run(run, {
      inputs: { model, settings, calibration: undefined, report: [] },
      params: { name: "fastestdet" },
    });
    const at = join(folder, "exports", "fastestdet");
    expect((await readFile(join(at, "model.onnx"))).equals(original)).toBe(true);
    expect((await stat(join(at, "model.onnx"))).mode & 0o200).toBe(0o200);
    const text = await readFile(join(at, "README.md"), "utf8");
    expect(text).toContain("| input | `input.1` | f32 | [1, 3, 352, 352] |");
    expect(text).toContain('width 352, height 352, interpolation "area"');
    expect(text).toContain("8-bit BGR");
    expect(JSON.parse(await readFile(join(at, "preprocess.json"), "utf8"))).toMatchObject({ width: 352 });
  });
});
