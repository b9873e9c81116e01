import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { collect } from "../test/support/collect.ts";
import { type NodeWorkspace, openNodeWorkspace } from "../test/support/runNode.ts";
import { decodeRgb, previewJpeg } from "./images.ts";
import type { ArtifactRef } from "./ports.ts";
import { run as preprocess } from "./preprocess/run.ts";

const raw = (data: readonly number[], width: number, channels: 1 | 3 | 4) =>
  sharp(Uint8Array.from(data), { raw: { width, height: data.length / width / channels, channels } });

describe("decodeRgb reads as OpenCV's imread", () => {
  it("drops alpha without blending", async () => {
    const png = await raw([10, 20, 30, 0, 40, 50, 60, 128], 2, 4).png().toBuffer();
    expect([...(await decodeRgb(png)).rgb]).toEqual([10, 20, 30, 40, 50, 60]);
  });
  it("makes three channels of grey", async () => {
    const png = await raw([7, 200], 2, 1).toColourspace("b-w").png().toBuffer();
    expect([...(await decodeRgb(png)).rgb]).toEqual([7, 7, 7, 200, 200, 200]);
  });
  it("makes 8 bits of 16", async () => {
    const png = await raw([10, 20, 30, 255, 0, 128], 2, 3).toColourspace("rgb16").png().toBuffer();
    expect((await sharp(png).metadata()).depth).toBe("ushort");
    expect([...(await decodeRgb(png)).rgb]).toEqual([10, 20, 30, 255, 0, 128]);
  });
  it("turns by EXIF's orientation", async () => {
    // 6: the camera was held so that the picture must turn a quarter to the right.
    const tiff = await raw([1, 1, 1, 2, 2, 2, 3, 3, 3], 3, 3)
      .withMetadata({ orientation: 6 })
      .tiff({ compression: "none" })
      .toBuffer();
    const { width, height, rgb } = await decodeRgb(tiff);
    expect([width, height, ...rgb]).toEqual([1, 3, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
  });
  it("refuses what is cut short, and what is no image", async () => {
    const noise = { type: "gaussian" as const, mean: 128, sigma: 50 };
    const jpeg = await sharp({ create: { width: 200, height: 200, channels: 3, background: "#000", noise } })
      .jpeg()
      .toBuffer();
    await expect(decodeRgb(jpeg.subarray(0, jpeg.length / 2))).rejects.toThrow();
    await expect(decodeRgb(new Uint8Array(64))).rejects.toThrow();
  });
});

it("previews are JPEG, no wider than 480", async () => {
  const { width, format } = await sharp(
    await previewJpeg({ width: 900, height: 30, rgb: new Uint8Array(81_000) }),
  ).metadata();
  expect([width, format]).toEqual([480, "jpeg"]);
});

async function imagesOf(
  space: NodeWorkspace,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<ArtifactRef<"images">> {
  const stored: Record<string, { digest: string; size: number }> = {};
  for (const [name, bytes] of Object.entries(files)) stored[name] = await space.artifacts.put("images", bytes);
  const images = Object.keys(files).map((file) => ({ file, width: 1, height: 1 }));
  const index = new TextEncoder().encode(JSON.stringify({ kind: "images", version: 1, images }));
  stored["index.json"] = await space.artifacts.put("images", index);
  const entries = Object.entries(stored).map(([name, { digest, size }]) => [name, { digest, size }]);
  return space.artifacts.putTree("images", Object.fromEntries(entries));
}

describe("framesFromImages", () => {
  it("leaves out what cannot be decoded and says so", async () => {
    await using space = await openNodeWorkspace();
    const good = await raw([1, 2, 3], 1, 3).png().toBuffer();
    const source = await imagesOf(space, { "a.png": good, "b.png": new Uint8Array(9), "c.png": good });
    const { outputs, warnings } = await space.run(preprocess, { inputs: { source, settings: undefined } });
    const { tensors } = outputs;
    expect(tensors?.total).toBe(3);
    expect(tensors && (await collect(tensors)).map(({ frame }) => [frame.id, frame.index])).toEqual([
      ["a.png", 0],
      ["c.png", 2],
    ]);
    expect(warnings).toEqual([expect.stringMatching(/^b\.png is left out: /)]);
  });
  it("fails where nothing can be decoded", async () => {
    await using space = await openNodeWorkspace();
    const source = await imagesOf(space, { "b.png": new Uint8Array(9) });
    const { tensors } = (await space.run(preprocess, { inputs: { source, settings: undefined } })).outputs;
    await expect(tensors && collect(tensors)).rejects.toMatchObject({ code: "no-readable-image" });
  });
  it("refuses an artifact without an index", async () => {
    await using space = await openNodeWorkspace();
    const source = await space.artifacts.putTree("images", {});
    const run = space.run(preprocess, { inputs: { source, settings: undefined } });
    await expect(run).rejects.toMatchObject({ code: "bad-images" });
  });
});
