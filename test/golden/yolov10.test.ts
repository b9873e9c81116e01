/** What `pipelines/yolov10.json` promises, on the exporter itself: YOLOv10-N comes out in INT8, compiled and measured. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../pipelines/document/events.ts";
import { createServices } from "../../server/services.ts";
import { projectRoot } from "../support/imports.ts";

/** Small, so that it takes half a minute. */
const set = {
  "model.width": 256,
  "model.height": 256,
  "calibration-preprocess.width": 256,
  "calibration-preprocess.height": 256,
  "calibration-images.limit": 4,
  "profile.iterations": 5,
  "profile-fp32.iterations": 5,
};

describe.skipIf(!process.env.EDGEWRIGHT_ULTRALYTICS)("pipelines/yolov10.json (needs EDGEWRIGHT_ULTRALYTICS)", () => {
  it("exports, quantizes, compiles and profiles", { timeout: 300_000 }, async () => {
    const root = await mkdtemp(join(tmpdir(), "edgewright-yolov10-"));
    await using services = createServices({ root });
    const doc: unknown = JSON.parse(await readFile(join(projectRoot, "pipelines", "yolov10.json"), "utf8"));
    const { runId } = await services.executor.submit({ doc, set });
    const events: RunEvent[] = [];
    for await (const event of services.executor.watch(runId)) events.push(event);
    const end = events.at(-1);
    if (end?.type !== "run.finished") throw new Error("the run has no end");
    expect(end.status, JSON.stringify(events.filter(({ type }) => type === "step.failed"))).toBe("done");
    const value = (node: string) => end.outputs[node]?.report?.value;
    expect(value("model")).toMatchObject({
      architecture: "yolov10n",
      warnings: [expect.stringContaining("Random weights")],
    });
    for (const node of ["profile", "profile-fp32"]) expect(value(node)).toMatchObject({ provenance: "measured" });
    const size = (node: string) => end.outputs[node]?.model?.size ?? Number.NaN;
    expect(size("model") / size("quantize")).toBeGreaterThan(2);
    await rm(root, { recursive: true, force: true });
  });
});
