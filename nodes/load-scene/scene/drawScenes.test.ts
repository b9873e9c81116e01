import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle } from "../../../server/build.js";
import { collect } from "../../../test/support/collect.ts";
import { projectRoot } from "../../../test/support/imports.ts";
import { streamOf } from "../../streams.ts";
import type { DrawJob } from "./drawer.ts";
import { drawScenes } from "./drawScenes.ts";

let folder: string;
let program: URL;
beforeAll(async () => {
  // Within the project, where its packages are found.
  folder = await mkdtemp(join(projectRoot, "dist", "draw-test-"));
  await bundle({ drawThread: "nodes/load-scene/scene/drawThread.ts" }, folder);
  program = pathToFileURL(join(folder, "drawThread.js"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const size = { width: 64, height: 64 };
const pictures = (count: number): DrawJob[] =>
  Array.from({ length: count }, (_, i) => ({ scene: { seed: i, ...size } }));
const sequence = (count: number): DrawJob[] =>
  Array.from({ length: count }, (_, index) => ({ scene: { seed: 3, ...size }, moment: { seconds: index / 5, index } }));
const signal = new AbortController().signal;

describe("scenes drawn by threads", () => {
  it.each([
    ["pictures", pictures(130)],
    ["a sequence", sequence(130)],
  ])("are those that one thread draws, in order: %s", async (_, jobs) => {
    const elsewhere = new URL("nowhere.js", program);
    const alone = await collect(drawScenes(streamOf(jobs), { signal, program: elsewhere }));
    const shared = await collect(drawScenes(streamOf(jobs), { signal, program }));
    expect(shared.map(({ jpeg, people }) => ({ jpeg: Buffer.from(jpeg).toString("hex"), people }))).toEqual(
      alone.map(({ jpeg, people }) => ({ jpeg: Buffer.from(jpeg).toString("hex"), people })),
    );
  });

  it("stop with the run, and with a reader who has enough", async () => {
    const abort = new AbortController();
    const drawn = drawScenes(streamOf(pictures(1000)), { signal: abort.signal, program });
    await drawn.next();
    abort.abort(new Error("enough"));
    await expect(collect(drawn)).rejects.toThrow("enough");
    for await (const { jpeg } of drawScenes(streamOf(pictures(1000)), { signal, program })) {
      expect(jpeg.length).toBeGreaterThan(100);
      break;
    }
  });

  it("say what went wrong in a thread", async () => {
    const jobs = pictures(200).map((job, i) => (i === 9 ? { scene: { ...job.scene, width: -1 } } : job));
    await expect(collect(drawScenes(streamOf(jobs), { signal, program }))).rejects.toThrow();
  });
});
