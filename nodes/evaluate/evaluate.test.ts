import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { dataPath, testData } from "../../test/support/data.ts";
import { type NodeWorkspace, openNodeWorkspace } from "../../test/support/runNode.ts";
import type { ImagesIndex } from "../imagesIndex.ts";
import { run as infer } from "../infer/run.ts";
import { run as loadImages } from "../load-images/run.ts";
import { run as nms } from "../nms/run.ts";
import type { ArtifactRef, DetectionItem, Stream } from "../ports.ts";
import { run as preprocess } from "../preprocess/run.ts";
import type { PreprocessParams } from "../preprocess/schema.ts";
import { streamOf } from "../streams.ts";
import { run as evaluate } from "./run.ts";

interface Detecting {
  readonly file: string;
  readonly images: ArtifactRef<"images">;
  readonly params: Partial<PreprocessParams>;
}

async function detect(space: NodeWorkspace, { file, images, params }: Detecting): Promise<Stream<DetectionItem>> {
  const model = await space.artifacts.put("model", await readFile(dataPath("models", file)));
  const { tensors } = (await space.run(preprocess, { inputs: { source: images, settings: undefined }, params }))
    .outputs;
  if (!tensors) throw new Error("preprocess gave no tensors");
  const outputs = (await space.run(infer, { inputs: { model, tensors } })).outputs;
  if (!outputs.tensors) throw new Error("infer gave no tensors");
  const scored = { scoreThreshold: 0.01, iouThreshold: 0.45 };
  const { detections } = (
    await space.run(nms, { inputs: { tensors: outputs.tensors, settings: undefined }, params: scored })
  ).outputs;
  if (!detections) throw new Error("nms gave no detections");
  return detections;
}

async function evalImages(space: NodeWorkspace): Promise<ArtifactRef<"images">> {
  const sources = { source: dataPath("coco/eval/images"), labels: dataPath("coco/eval/labels") };
  const { images } = (await space.run(loadImages, { inputs: {}, sources })).outputs;
  if (!images) throw new Error("load-images gave no images");
  return images;
}

async function report(space: NodeWorkspace, inputs: Parameters<typeof evaluate.run>[1]) {
  const { outputs, warnings } = await space.run(evaluate, { inputs });
  expect(warnings).toEqual([]);
  if (!outputs.report) throw new Error("evaluate gave no report");
  return space.artifacts.readJson(outputs.report);
}

const within = (value: number, tolerance: number) => ({
  asymmetricMatch: (got: unknown) => typeof got === "number" && Math.abs(got - value) <= tolerance,
  toString: () => `within ${tolerance} of ${value}`,
});

const fastestdet = { width: 352, height: 352, mode: "stretch", interpolation: "area", colorOrder: "BGR" } as const;
const yolox = { width: 416, height: 416, mode: "letterbox-topleft", pad: 114, colorOrder: "BGR", scale: 1 } as const;

describe.skipIf(!testData)("published accuracy, through the nodes (needs EDGEWRIGHT_TEST_DATA)", () => {
  it.each([
    ["fastestdet.onnx", fastestdet, 0.4, 0.416],
    ["yolox-nano.onnx", yolox, 0.518, 0.601],
  ] as const)("%s", async (file, params, mAP50, person50) => {
    await using space = await openNodeWorkspace();
    const images = await evalImages(space);
    const detections = await detect(space, { file, images, params });
    expect(await report(space, { detections, images, reference: undefined })).toMatchObject({
      kind: "evaluate",
      images: 64,
      mAP50: within(mAP50, 0.005),
      perClass: { person: { AP50: within(person50, 0.015) } },
    });
  });
});

const box = (x: number, score: number, name = "cat", classId = 0) => ({
  classId,
  class: name,
  score,
  box: [x, 0, 10, 10] as const,
});
const found = (frame: string, ...detections: ReturnType<typeof box>[]) => ({
  frame,
  width: 99,
  height: 99,
  detections,
});

async function labelled(space: NodeWorkspace, index: Partial<ImagesIndex>): Promise<ArtifactRef<"images">> {
  const text = JSON.stringify({ kind: "images", version: 1, ...index });
  const blob = await space.artifacts.put("images", new TextEncoder().encode(text));
  return space.artifacts.putTree("images", { "index.json": { digest: blob.digest, size: blob.size } });
}

const cats = {
  classes: ["dog", "cat"],
  images: ["a.jpg", "b.jpg"].map((file) => ({
    file,
    width: 99,
    height: 99,
    labels: [{ classId: 1, box: [0, 0, 10, 10] as [number, number, number, number] }],
  })),
};

describe("evaluate", () => {
  it("matches classes by name, and says which labelled image has no detections", async () => {
    await using space = await openNodeWorkspace();
    const detections = streamOf([found("a.jpg", box(0, 0.9)), found("other.jpg", box(0, 0.9))]);
    const images = await labelled(space, cats);
    const { outputs, warnings } = await space.run(evaluate, { inputs: { detections, images, reference: undefined } });
    expect(warnings).toEqual([expect.stringContaining("1 labelled images")]);
    expect(outputs.report && (await space.artifacts.readJson(outputs.report))).toMatchObject({
      images: 2,
      mAP50: within(51 / 101, 1e-9),
      perClass: { cat: { AP50: within(51 / 101, 1e-9) } },
    });
  });

  it("compares with a reference where there are no labels", async () => {
    await using space = await openNodeWorkspace();
    const images = await labelled(space, { images: cats.images.map(({ labels: _, ...image }) => image) });
    const detections = streamOf([found("a.jpg", box(0, 0.9), box(50, 0.8)), found("b.jpg")]);
    const reference = streamOf([found("a.jpg", box(1, 0.7)), found("b.jpg", box(5, 0.9), box(30, 0.1))]);
    const got = await report(space, { detections, images, reference });
    expect(got).toMatchObject({
      agreement: { precision: 0.5, recall: 0.5, matched: 1, meanIoU: within(9 / 11, 1e-9) },
    });
    expect(got).not.toHaveProperty("mAP");
  });

  it("gives top-1 and top-5 of a classifier", async () => {
    await using space = await openNodeWorkspace();
    const images = await labelled(space, cats);
    const detections = streamOf([found("a.jpg", box(0, 0.9)), found("b.jpg", box(0, 0.9, "dog"), box(0, 0.1))]);
    const { outputs } = await space.run(evaluate, {
      inputs: { detections, images, reference: undefined },
      params: { task: "classification" },
    });
    expect(outputs.report && (await space.artifacts.readJson(outputs.report))).toMatchObject({ top1: 0.5, top5: 1 });
  });

  it.each([
    ["no-labels", { images: cats.images.map(({ labels: _, ...image }) => image) }, ["a.jpg"]],
    ["different-images", cats, ["x.jpg"]],
  ])("refuses with %s", async (code, index, frames) => {
    await using space = await openNodeWorkspace();
    const detections = streamOf(frames.map((frame) => found(frame)));
    const inputs = { detections, images: await labelled(space, index), reference: undefined };
    await expect(space.run(evaluate, { inputs })).rejects.toMatchObject({ code, fix: expect.any(String) });
  });
});
