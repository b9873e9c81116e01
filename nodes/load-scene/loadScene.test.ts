import { describe, expect, it } from "vitest";
import { collect } from "../../test/support/collect.ts";
import { openNodeWorkspace } from "../../test/support/runNode.ts";
import { run } from "./run.ts";

const small = { width: 96, height: 64, frames: 6, seed: 4 };

describe("load-scene", () => {
  it("films the same frames for a seed, says how many, and shows three", async () => {
    await using space = await openNodeWorkspace();
    const film = async (seed: number) => {
      const { outputs, previews, progress } = await space.run(run, { inputs: {}, params: { ...small, seed } });
      if (!outputs.frames) throw new Error("load-scene gave no frames");
      expect(outputs.frames.total).toBe(6);
      const frames = await collect(outputs.frames);
      expect(previews.length).toBe(3);
      expect(progress.at(-1)).toMatchObject({ done: 6, total: 6 });
      return frames;
    };
    const [once, again, other] = [await film(4), await film(4), await film(5)];
    expect(once.map(({ id, index, width, height }) => [id, index, width, height])).toEqual(
      Array.from({ length: 6 }, (_, i) => [`frame-00000${i}`, i, 96, 64]),
    );
    expect(again).toEqual(once);
    expect(other[0]?.rgb).not.toEqual(once[0]?.rgb);
    // Noise and people change from frame to frame, the place does not.
    expect(once[1]?.rgb).not.toEqual(once[0]?.rgb);
  });

  it("reports what the seed drew, as simulated and synthetic", async () => {
    await using space = await openNodeWorkspace();
    const params = { ...small, place: "street", light: "night", people: 3 } as const;
    const { outputs } = await space.run(run, { inputs: {}, params });
    if (!outputs.report) throw new Error("load-scene gave no report");
    expect(await space.artifacts.readJson(outputs.report)).toMatchObject({
      kind: "scene",
      provenance: "simulated",
      synthetic: true,
      seed: 4,
      place: "street",
      light: "night",
    });
  });

  it("stops when the run is aborted", async () => {
    await using space = await openNodeWorkspace();
    const abort = new AbortController();
    const { outputs } = await space.run(run, { inputs: {}, params: small, signal: abort.signal });
    const read = async () => {
      for await (const frame of outputs.frames ?? []) if (frame.index === 1) abort.abort(new Error("enough"));
    };
    await expect(read()).rejects.toThrow("enough");
  });
});
