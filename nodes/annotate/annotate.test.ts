import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import { decodeRgb, framesFromImages, readImagesIndex, writeImages } from "../images.ts";
import type { ArtifactRef, Detection, DetectionItem, Frame } from "../ports.ts";
import { streamOf } from "../streams.ts";
import { run } from "./run.ts";
import { strokeText, strokeTextWidth } from "./strokeFont.ts";

const WIDTH = 120;
const HEIGHT = 90;
const detection: Detection = { classId: 0, class: "person", score: 0.87, box: [20, 40, 60, 40] };
const found = (frame: string, ...detections: Detection[]): DetectionItem => ({
  frame,
  width: WIDTH,
  height: HEIGHT,
  detections,
});
const grey = (): Frame["rgb"] => new Uint8Array(WIDTH * HEIGHT * 3).fill(60);
const frame = (id: string, index: number): Frame => ({ id, index, width: WIDTH, height: HEIGHT, rgb: grey() });

async function pixels(space: NodeWorkspace, images: ArtifactRef<"images"> | undefined) {
  if (!images) throw new Error("annotate gave no images");
  const files = await space.artifacts.files(images);
  const names = Object.keys(files).filter((name) => name !== "index.json");
  const decode = async (name: string) => {
    const file = files[name];
    return file && decodeRgb(await space.artifacts.read(file));
  };
  return { names, pictures: await Promise.all(names.map(decode)) };
}

describe("annotate", () => {
  it("draws a box where the detection is, and leaves weak ones out", async () => {
    await using space = await openNodeWorkspace();
    const weak = { ...detection, score: 0.1 };
    const inputs = {
      source: streamOf([frame("frame-000000", 0), frame("frame-000001", 1)]),
      detections: streamOf([found("frame-000000", detection), found("frame-000001", weak)]),
    };
    const { outputs, previews } = await space.run(run, { inputs });
    const { names, pictures } = await pixels(space, outputs.images);
    expect(names).toEqual(["frame-000000.jpg", "frame-000001.jpg"]);
    expect(previews.length).toBe(2);
    const at = (i: number, x: number, y: number) => [
      ...(pictures[i]?.rgb.subarray((y * WIDTH + x) * 3).subarray(0, 3) ?? []),
    ];
    const [red = 0, green = 0] = at(0, 50, 40);
    expect(green - red).toBeGreaterThan(40);
    for (const value of [...at(0, 50, 60), ...at(1, 50, 40)]) expect(Math.abs(value - 60)).toBeLessThan(8);
  });

  it("spreads the limit over a longer source, and reads all of it", async () => {
    await using space = await openNodeWorkspace();
    const ids = Array.from({ length: 10 }, (_, i) => `f${i}`);
    let read = 0;
    const counted = async function* () {
      for (const id of ids) {
        read++;
        yield found(id, detection);
      }
    };
    const source = streamOf(ids.map(frame));
    const inputs = { source, detections: counted() };
    const { outputs } = await space.run(run, { inputs, params: { limit: 3 } });
    expect((await pixels(space, outputs.images)).names).toEqual(["f0.jpg", "f4.jpg", "f8.jpg"]);
    expect(read).toBe(10);
  });

  it("takes images by name, and refuses detections of others", async () => {
    await using space = await openNodeWorkspace();
    const source = await twoImages(space);
    const ok = await space.run(run, { inputs: { source, detections: streamOf([found("b.png", detection)]) } });
    expect((await pixels(space, ok.outputs.images)).names).toEqual(["b.png.jpg"]);
    const wrong = { source, detections: streamOf([found("c.png", detection)]) };
    await expect(space.run(run, { inputs: wrong })).rejects.toMatchObject({ code: "different-images" });
  });
});

async function twoImages(space: NodeWorkspace): Promise<ArtifactRef<"images">> {
  const raw = { width: WIDTH, height: HEIGHT, channels: 3 as const };
  const bytes = await sharp(grey(), { raw }).png().toBuffer();
  const { digest, size } = await space.artifacts.put("images", bytes);
  let written: ArtifactRef<"images"> | undefined;
  await space.run(
    {
      def: run.def,
      run: async (ctx) => {
        const entries = ["a.png", "b.png"].map((file) => ({
          file,
          width: WIDTH,
          height: HEIGHT,
          blob: { digest, size },
        }));
        written = await writeImages(ctx, entries, ["person"]);
        expect((await readImagesIndex(ctx, written)).classes).toEqual(["person"]);
        const ids: string[] = [];
        for await (const { id } of await framesFromImages(ctx, written)) ids.push(id);
        expect(ids).toEqual(["a.png", "b.png"]);
        return {};
      },
    },
    { inputs: { source: streamOf([]), detections: streamOf([]) } },
  );
  if (!written) throw new Error("nothing was written");
  return written;
}

describe("strokeText", () => {
  it("is as wide as it says and has a sign for what it does not know", () => {
    const xs = [...strokeText("W", { x: 0, y: 0 }, 6).matchAll(/[ML]([\d.]+)/g)].map((m) => Number(m[1]));
    expect(Math.max(...xs)).toBe(strokeTextWidth("W", 6));
    expect(strokeText("é", { x: 0, y: 0 }, 6)).toBe(strokeText("漢", { x: 0, y: 0 }, 6));
  });
});
