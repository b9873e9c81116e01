import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import type { ImagesIndex } from "../imagesIndex.ts";
import { run } from "./run.ts";

async function picture(width: number, height: number, orientation?: number): Promise<Buffer> {
  const image = sharp({ create: { width, height, channels: 3, background: "#456" } }).jpeg();
  return orientation ? image.withMetadata({ orientation }).toBuffer() : image.toBuffer();
}

async function write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

interface Load {
  readonly images: Readonly<Record<string, string | Uint8Array>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly params?: { readonly classes?: string; readonly limit?: number };
}

async function load(space: NodeWorkspace, { images, labels, params = {} }: Load) {
  const source = await write(join(space.folder, "in"), images);
  const folder = labels && (await write(join(space.folder, "labels"), labels));
  const [json] = Object.keys(labels ?? {}).filter((name) => name.endsWith(".json"));
  const sources = { source, ...(folder && { labels: json ? join(folder, json) : folder }) };
  const result = await space.run(run, { inputs: {}, params, sources });
  const ref = result.outputs.images;
  const file = ref && (await space.artifacts.files(ref))["index.json"];
  if (!file) throw new Error("load-images gave no index");
  const index: ImagesIndex = JSON.parse(await space.artifacts.readText(file));
  return { ...result, index };
}

describe("load-images", () => {
  it("reads nested folders, leaves other files alone and turns pictures upright", async () => {
    await using space = await openNodeWorkspace();
    const images = { "b/two.jpg": await picture(20, 10, 6), "one.jpg": await picture(8, 6), "notes.txt": "no image" };
    const { index, warnings, previews } = await load(space, { images });
    expect(index).toEqual({
      kind: "images",
      version: 1,
      images: [
        { file: "b/two.jpg", width: 10, height: 20 },
        { file: "one.jpg", width: 8, height: 6 },
      ],
    });
    expect(warnings).toEqual([]);
    expect(previews.length).toBe(2);
  });

  it("reports a damaged picture among good ones and goes on", async () => {
    await using space = await openNodeWorkspace();
    const noise = sharp({
      create: {
        width: 300,
        height: 300,
        channels: 3,
        background: "#000",
        noise: { type: "gaussian", mean: 128, sigma: 60 },
      },
    });
    const cut = (await noise.jpeg().toBuffer()).subarray(0, 9000);
    const { index, warnings } = await load(space, {
      images: { "a.jpg": "no JPEG at all", "cut.jpg": cut, "good.jpg": await picture(8, 6) },
    });
    expect(index.images.map(({ file }) => file)).toEqual(["good.jpg"]);
    expect(warnings.map((w) => w.split(" ")[0])).toEqual(["a.jpg", "cut.jpg"]);
  });

  it("matches YOLO labels by name, nested or not; an image without a file shows nothing", async () => {
    await using space = await openNodeWorkspace();
    const { index } = await load(space, {
      images: { "images/a.jpg": await picture(100, 50), "images/b.jpg": await picture(10, 10) },
      labels: { "a.txt": "1 0.5 0.5 0.2 0.4\n\n0 0.1 0.2 0.2 0.4\r\n", "classes.txt": "cat\ndog\n" },
    });
    expect(index.classes).toEqual(["cat", "dog"]);
    expect(index.images[0]?.labels).toEqual([
      { classId: 1, box: [40, 15, 20, 20].map((x) => expect.closeTo(x, 9)) },
      { classId: 0, box: [0, 0, 20, 20].map((x) => expect.closeTo(x, 9)) },
    ]);
    expect(index.images[1]?.labels).toEqual([]);
  });

  it.each([
    ["ids that only COCO has", "60 .5 .5 .1 .1", "", "dining table"],
    ["the parameter", "0 .5 .5 .1 .1", "face, hand", "face"],
    ["nothing", "0 .5 .5 .1 .1", "", undefined],
  ])("names classes by %s", async (_, line, classes, name) => {
    await using space = await openNodeWorkspace();
    const { index } = await load(space, {
      images: { "a.jpg": await picture(8, 8) },
      labels: { "a.txt": line },
      params: { classes },
    });
    expect(index.classes?.[Number(line.split(" ")[0])]).toBe(name);
  });

  const coco = {
    images: [{ id: 7, file_name: "x/a.jpg" }],
    categories: [
      { id: 9, name: "dog" },
      { id: 3, name: "cat" },
    ],
    annotations: [
      { id: 1, image_id: 7, category_id: 9, bbox: [1, 2, 3, 4], iscrowd: 1 },
      { id: 2, image_id: 7, category_id: 3 },
    ],
  };

  it("matches COCO's JSON; what it does not list stays without labels and is said", async () => {
    await using space = await openNodeWorkspace();
    const { index, warnings } = await load(space, {
      images: { "a.jpg": await picture(8, 6), "b.jpg": await picture(8, 6) },
      labels: { "instances.json": JSON.stringify(coco) },
    });
    expect(index.classes).toEqual(["cat", "dog"]);
    expect(index.images).toEqual([
      expect.objectContaining({
        labels: [
          { classId: 1, box: [1, 2, 3, 4], crowd: true },
          { classId: 0, box: [0, 0, 8, 6] },
        ],
      }),
      { file: "b.jpg", width: 8, height: 6 },
    ]);
    expect(warnings).toEqual([expect.stringContaining("1 of 2 images")]);
  });

  it.each([
    ["no-images", { images: { "a.txt": "x" } }],
    ["no-readable-image", { images: { "a.jpg": "x" } }],
    ["labels-match-nothing", { labels: { "other.txt": "0 .5 .5 .1 .1" } }],
    ["bad-labels", { labels: { "a.txt": "0 50 50 10 10" } }],
    ["bad-labels", { labels: { "a.txt": "cat .5 .5 .1 .1" } }],
    ["bad-labels", { labels: { "a.json": "{" } }],
    ["bad-labels", { labels: { "a.json": "[]" } }],
    ["bad-labels", { labels: { "a.txt": "3 .5 .5 .1 .1" }, params: { classes: "cat,dog" } }],
  ])("refuses with %s: %j", async (code, input: Partial<Load>) => {
    await using space = await openNodeWorkspace();
    const images = { "a.jpg": await picture(8, 8) };
    await expect(load(space, { images, ...input })).rejects.toMatchObject({ code, fix: expect.any(String) });
  });

  it("wants a source", async () => {
    await using space = await openNodeWorkspace();
    await expect(space.run(run, { inputs: {} })).rejects.toMatchObject({ code: "no-source" });
  });
});
