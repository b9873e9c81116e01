import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { collect } from "../../test/support/collect.ts";
import { dataPath, testData } from "../../test/support/data.ts";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import { findFfmpeg } from "./ffmpeg.ts";
import { run } from "./run.ts";
import type { VideoParams } from "./schema.ts";

/** Twelve frames of 64 x 48 at 4 a second, whose pixels change from frame to frame. */
async function makeVideo(folder: string): Promise<string> {
  const path = join(folder, "made.avi");
  const source = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=4:duration=3"];
  await promisify(execFile)(await findFfmpeg(), ["-nostdin", ...source, "-c:v", "mpeg4", "-y", path]);
  return path;
}

async function frames(space: NodeWorkspace, path: string, params: Partial<VideoParams> = {}) {
  const result = await space.run(run, { inputs: {}, params, sources: { source: path } });
  if (!result.outputs.frames) throw new Error("load-video gave no frames");
  return { ...result, frames: result.outputs.frames };
}

describe("load-video", () => {
  it("gives every frame in order, with size, total and previews", async () => {
    await using space = await openNodeWorkspace();
    const { frames: stream, previews, progress } = await frames(space, await makeVideo(space.folder));
    expect(stream.total).toBe(12);
    const all = await collect(stream);
    expect(all.map(({ id }) => id)).toEqual(
      Array.from({ length: 12 }, (_, i) => `frame-${String(i).padStart(6, "0")}`),
    );
    expect(all.every(({ width, height, rgb }) => width === 64 && height === 48 && rgb.length === 64 * 48 * 3)).toBe(
      true,
    );
    expect(new Set(all.map(({ rgb }) => Buffer.from(rgb).toString("base64"))).size).toBeGreaterThan(2);
    expect(previews.length).toBe(3);
    expect(progress.at(-1)).toMatchObject({ done: 12, total: 12 });
  });

  it.each([
    [{ every: 5 }, ["frame-000000", "frame-000005", "frame-000010"]],
    [{ limit: 2 }, ["frame-000000", "frame-000001"]],
    [{ fps: 1 }, ["frame-000000", "frame-000001", "frame-000002"]],
  ])("%o", async (params, ids) => {
    await using space = await openNodeWorkspace();
    const { frames: stream } = await frames(space, await makeVideo(space.folder), params);
    expect(stream.total).toBe(ids.length);
    expect((await collect(stream)).map(({ id }) => id)).toEqual(ids);
  });

  it("stops when the run is aborted, and when its reader has enough", async () => {
    await using space = await openNodeWorkspace();
    const path = await makeVideo(space.folder);
    const abort = new AbortController();
    const { outputs } = await space.run(run, { inputs: {}, sources: { source: path }, signal: abort.signal });
    const read = async () => {
      for await (const frame of outputs.frames ?? []) if (frame.index === 1) abort.abort(new Error("enough"));
    };
    await expect(read()).rejects.toThrow("enough");
    for await (const frame of (await frames(space, path)).frames) {
      expect(frame.index).toBe(0);
      break;
    }
  });

  it.each([
    ["not a video", "no video at all"],
    ["a playlist", "#EXTM3U\n#EXTINF:1,\nmade.avi\n"],
    ["a list of files", "ffconcat version 1.0\nfile made.avi\n"],
  ])("refuses %s", async (_, text) => {
    await using space = await openNodeWorkspace();
    await makeVideo(space.folder);
    const path = join(space.folder, "list.mp4");
    await writeFile(path, text);
    await expect(frames(space, path)).rejects.toMatchObject({ code: "bad-video", fix: expect.any(String) });
  });

  it("says where to get ffmpeg, and which source it wants", async () => {
    await using space = await openNodeWorkspace();
    await expect(space.run(run, { inputs: {} })).rejects.toMatchObject({ code: "no-source" });
  });
});

describe("a filmed scene as source", () => {
  const recipe = { kind: "scene-video", version: 1, seed: 5, frames: 12, fps: 4, width: 80, height: 64 };

  async function filmed(space: NodeWorkspace, json: unknown, params: Partial<VideoParams> = {}) {
    const path = join(space.folder, "scene.json");
    await writeFile(path, JSON.stringify(json));
    return frames(space, path, params);
  }

  it.each([
    [{}, ["frame-000000", "frame-000001", "frame-000011"], 12],
    [{ every: 5 }, ["frame-000000", "frame-000005", "frame-000010"], 3],
    [{ limit: 2 }, ["frame-000000", "frame-000001"], 2],
    [{ fps: 1 }, ["frame-000000", "frame-000001", "frame-000002"], 3],
  ])("gives its frames without a file: %o", async (params, ids, total) => {
    await using space = await openNodeWorkspace();
    const { frames: stream, logs } = await filmed(space, recipe, params);
    expect(stream.total).toBe(total);
    const all = await collect(stream);
    expect(all.length).toBe(total);
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    expect(all.every(({ width, height, rgb }) => width === 80 && height === 64 && rgb.length === 80 * 64 * 3)).toBe(
      true,
    );
    expect(logs.join()).toContain("synthetic");
  });

  it("refuses a recipe of single pictures", async () => {
    await using space = await openNodeWorkspace();
    const scenes = { kind: "scenes", version: 1, first: 1, count: 2, width: 80, height: 64 };
    await expect(filmed(space, scenes)).rejects.toMatchObject({ code: "bad-recipe" });
  });
});

describe.skipIf(!testData)("a real video (needs EDGEWRIGHT_TEST_DATA)", () => {
  it("holds no more than a few frames while it streams", async () => {
    await using space = await openNodeWorkspace();
    const { frames: stream } = await frames(space, dataPath("video/one-by-one-person-detection.mp4"), { limit: 600 });
    let count = 0;
    let early = 0;
    for await (const frame of stream) {
      expect(frame.rgb.length).toBe(768 * 432 * 3);
      if (++count === 150) early = process.memoryUsage().rss;
    }
    expect(count).toBe(600);
    // 450 frames are 450 MB; what garbage the collector leaves lying is far below.
    expect(process.memoryUsage().rss - early).toBeLessThan(200 * 2 ** 20);
  });
});
