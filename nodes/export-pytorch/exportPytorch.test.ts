import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCatalogue } from "../../server/storage/catalogue.ts";
import { projectRoot } from "../../test/support/imports.ts";
import { renderFace } from "../../test/support/renderFace.ts";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import type { PortValue } from "../ports.ts";
import { Face } from "./face.tsx";
import { exportPytorchReport } from "./report.ts";
import { RANDOM_WEIGHTS, run } from "./run.ts";
import { exportPytorch } from "./schema.ts";

const exporterHome = process.env.EDGEWRIGHT_ULTRALYTICS;
const python = join(exporterHome ?? "", "bin", "python");

async function reportOf({ artifacts }: NodeWorkspace, ref: PortValue<"report"> | undefined) {
  if (!ref) throw new Error("no report");
  return exportPytorchReport.parse(await artifacts.readJson(ref));
}

describe("export-pytorch", () => {
  it("takes the names of shipped descriptions alone: no path, no address, no text of a stranger", () => {
    expect(exportPytorch.params.parse({}).architecture).toBe("yolov10n");
    for (const architecture of ["../yolov10n", "yolov10n.yaml", "yolov10n-evil", "https://x/y", "yolov10z", ""]) {
      expect(exportPytorch.params.safeParse({ architecture }).success).toBe(false);
    }
  });

  it("without the exporter says how to get it", async () => {
    await using workspace = await openNodeWorkspace();
    const overrides = { pytorchExporter: async () => undefined };
    await expect(workspace.run(run, { inputs: {}, overrides })).rejects.toMatchObject({
      code: "missing-part",
      fix: expect.stringContaining("edgewright setup ultralytics"),
    });
  });

  it("hands over the checkpoint by digest, and says what came of it", async () => {
    await using workspace = await openNodeWorkspace();
    const weights = join(workspace.folder, "w.pt");
    writeFileSync(weights, "a checkpoint");
    const asked: unknown[] = [];
    const exporter = {
      name: "ultralytics 1",
      export: async (options: unknown) => {
        asked.push(options);
        const model = await workspace.artifacts.put("model", new Uint8Array(8));
        return { model, exporter: "ultralytics 1, torch 2", parameters: 2_300_000, classes: ["person"], tensors: 595 };
      },
    };
    const overrides = { pytorchExporter: async () => exporter };
    const { outputs } = await workspace.run(run, { inputs: {}, sources: { weights }, overrides });
    expect(asked).toMatchObject([{ architecture: "yolov10n", weights: { name: "w.pt", size: 12 }, opset: 17 }]);
    const report = await reportOf(workspace, outputs.report);
    expect(report).toMatchObject({ weights: { file: "w.pt", tensors: 595 }, warnings: [], classes: ["person"] });
    expect(renderFace(Face, { report })).toContain("weights of w.pt");
    expect(renderFace(Face, { report, large: true })).toContain("AGPL-3.0");
  });

  it("knows the architecture of every PyTorch model in the catalogue", () => {
    for (const { id, format } of readCatalogue(join(projectRoot, "models"))) {
      if (format !== "pytorch") continue;
      const architecture = id.replace(/-(.)u?$/, "$1");
      expect(exportPytorch.params.safeParse({ architecture }).success, architecture).toBe(true);
    }
  });
});

describe.skipIf(!exporterHome)("Ultralytics' exporter itself (needs EDGEWRIGHT_ULTRALYTICS)", () => {
  it("exports YOLOv10-N of random weights, and says so", { timeout: 180_000 }, async () => {
    await using workspace = await openNodeWorkspace();
    const { outputs, warnings } = await workspace.run(run, { inputs: {}, params: { width: 320, height: 256 } });
    if (!outputs.model) throw new Error("no model");
    const { graph, opset } = await workspace.artifacts.openModel(outputs.model);
    expect(opset).toBe(17);
    expect(graph.feeds.map(({ shape }) => shape)).toEqual([[1, 3, 256, 320]]);
    expect(graph.outputs.map(({ shape }) => shape)).toEqual([[1, 300, 6]]);
    expect(graph.nodes.filter(({ opType }) => opType === "Conv")).toHaveLength(83);
    expect(warnings).toEqual([RANDOM_WEIGHTS]);
    const report = await reportOf(workspace, outputs.report);
    expect(report.weights).toBeUndefined();
    expect(renderFace(Face, { report })).toContain("random weights");
  });

  /** Runs Python in the environment, as the author of a checkpoint would. */
  const author = (folder: string, code: string) =>
    execFileSync(python, ["-c", code], { cwd: folder, env: { ...process.env, YOLO_CONFIG_DIR: folder } });

  it("takes the tensors of a checkpoint, refuses those of another model", { timeout: 180_000 }, async () => {
    await using workspace = await openNodeWorkspace();
    const { folder } = workspace;
    author(
      folder,
      `import torch
from ultralytics.nn.tasks import DetectionModel
model = DetectionModel("yolo11n.yaml", nc=3, verbose=False)
model.names = {0: "cat", 1: "dog", 2: "cow"}
torch.nn.init.constant_(model.model[0].conv.weight, 0.125)
torch.save({"model": model.half(), "ema": None}, "w.pt")`,
    );
    const sources = { weights: join(folder, "w.pt") };
    const params = { architecture: "yolo11n", width: 64, height: 64 } as const;
    const { outputs } = await workspace.run(run, { inputs: {}, params, sources });
    const report = await reportOf(workspace, outputs.report);
    expect(report.classes).toEqual(["cat", "dog", "cow"]);
    if (!outputs.model) throw new Error("no model");
    const { graph } = await workspace.artifacts.openModel(outputs.model);
    expect(graph.outputs.map(({ shape }) => shape)).toEqual([[1, 7, 84]]);
    const other = workspace.run(run, { inputs: {}, params: { ...params, architecture: "yolov8n" }, sources });
    await expect(other).rejects.toMatchObject({ code: "bad-weights", message: /not of yolov8n/ });
  });

  it("runs nothing of a checkpoint: neither a call in its pickle nor a class of its own", {
    timeout: 180_000,
  }, async () => {
    await using workspace = await openNodeWorkspace();
    const { folder } = workspace;
    const mark = join(folder, "ran");
    author(
      folder,
      `import os, torch
class Call:
    def __reduce__(self): return (os.system, ("touch ${mark}",))
torch.save({"model": Call(), "ema": None}, "call.pt")
class State:
    def __setstate__(self, state): os.system("touch ${mark}")
s = State(); s.x = 1
torch.save({"model": s, "ema": None}, "state.pt")`,
    );
    writeFileSync(join(folder, "text.pt"), "cos\nsystem\n(S'touch ran'\ntR.");
    for (const file of ["call.pt", "state.pt", "text.pt"]) {
      const result = workspace.run(run, { inputs: {}, sources: { weights: join(folder, file) } });
      await expect(result).rejects.toMatchObject({ code: "bad-weights" });
    }
    expect(existsSync(mark)).toBe(false);
    // What the test relies on: loaded the usual way, the first would have run.
    author(folder, `import torch; torch.load("call.pt", weights_only=False)`);
    expect(existsSync(mark)).toBe(true);
    expect(readFileSync(mark, "utf8")).toBe("");
  });
});
