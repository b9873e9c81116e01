import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import { imagesIndexSchema } from "../imagesIndex.ts";
import { renderScene } from "../load-scene/scene/render.ts";
import { createScene } from "../load-scene/scene/scene.ts";
import { run } from "./run.ts";

const recipe = { kind: "scenes", version: 1, first: 40, count: 6, width: 128, height: 96 };

async function load(space: NodeWorkspace, text: string, options: { limit?: number; labels?: string } = {}) {
  const source = join(space.folder, "set.json");
  await writeFile(source, text);
  const sources = { source, ...(options.labels && { labels: options.labels }) };
  const { outputs, previews } = await space.run(run, { inputs: {}, params: { limit: options.limit ?? 0 }, sources });
  if (!outputs.images) throw new Error("load-images gave no images");
  const files = await space.artifacts.files(outputs.images);
  const index = files["index.json"] && (await space.artifacts.readJson(files["index.json"]));
  return { ref: outputs.images, files, index, previews };
}

describe("a recipe of scenes as source", () => {
  it("gives labelled pictures of the class person, the same each time", async () => {
    await using space = await openNodeWorkspace();
    const { ref, files, index, previews } = await load(space, JSON.stringify(recipe));
    const images = [40, 41, 42, 43, 44, 45].map((seed) => ({
      file: `scene-0000${seed}.jpg`,
      width: 128,
      height: 96,
      labels: renderScene(createScene({ seed, width: 128, height: 96 })).people.map(({ box, ignored }) => ({
        classId: 0,
        box: [...box],
        ...(ignored && { crowd: true }),
      })),
    }));
    expect(index).toEqual({ kind: "images", version: 1, classes: ["person"], images });
    expect(images.flatMap(({ labels }) => labels).length).toBeGreaterThan(2);
    const first = files["scene-000040.jpg"];
    if (!first) throw new Error("no first scene");
    expect(await sharp(await space.artifacts.read(first)).metadata()).toMatchObject({
      width: 128,
      height: 96,
      format: "jpeg",
    });
    expect(previews.length).toBe(3);
    expect((await load(space, JSON.stringify(recipe))).ref.digest).toBe(ref.digest);
  });

  it("draws no more than the limit", async () => {
    await using space = await openNodeWorkspace();
    const { files } = await load(space, JSON.stringify(recipe), { limit: 2 });
    expect(Object.keys(files).sort()).toEqual(["index.json", "scene-000040.jpg", "scene-000041.jpg"]);
  });

  it("films one scene, with the same track for the same person", async () => {
    await using space = await openNodeWorkspace();
    const video = { kind: "scene-video", version: 1, seed: 9, light: "day", people: 4, frames: 5, fps: 5 };
    const { index } = await load(space, JSON.stringify({ ...video, width: 208, height: 208 }));
    const { images } = imagesIndexSchema.parse(index);
    expect(images.map(({ file }) => file)).toEqual([0, 1, 2, 3, 4].map((i) => `frame-00000${i}.jpg`));
    const tracks = images.map(({ labels }) => labels?.map(({ track }) => track));
    expect(tracks[0]?.length).toBeGreaterThan(1);
    expect(tracks[1]).toEqual(tracks[0]);
    const [first, last] = [images[0]?.labels?.[0]?.box, images[4]?.labels?.[0]?.box];
    expect(first).not.toEqual(last);
  });

  it.each([
    ["no JSON", "{"],
    ["another kind", JSON.stringify({ ...recipe, kind: "images" })],
    ["pictures too large", JSON.stringify({ ...recipe, width: 100_000 })],
    ["too many", JSON.stringify({ ...recipe, count: 1e9 })],
  ])("refuses %s", async (_, text) => {
    await using space = await openNodeWorkspace();
    await expect(load(space, text)).rejects.toMatchObject({ code: "bad-recipe", fix: expect.any(String) });
  });

  it("refuses labels of its own", async () => {
    await using space = await openNodeWorkspace();
    const labels = join(space.folder, "labels.json");
    await writeFile(labels, "{}");
    await expect(load(space, JSON.stringify(recipe), { labels })).rejects.toMatchObject({ code: "scenes-have-labels" });
  });
});
