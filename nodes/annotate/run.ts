/** Draws on the pictures that the detections name, at most `limit` of them, and keeps them as an images artifact. */
import { availableParallelism } from "node:os";
import { type RunContext, UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import {
  decodeRgb,
  MAX_IMAGE_BYTES,
  type Picture,
  previewJpeg,
  rawImage,
  type StoredImage,
  writeImages,
} from "../images.ts";
import type { ArtifactRef, DetectionItem, Frame, Stream } from "../ports.ts";
import { lockstep, mapStream } from "../streams.ts";
import { boxesSvg } from "./boxesSvg.ts";
import { type AnnotateParams, annotate } from "./schema.ts";

const PREVIEWS = 3;

export const run = implementNode(annotate, async (ctx, { source, detections }, params) => {
  const total = detections.total ?? ("digest" in source ? undefined : source.total);
  const step = Math.max(1, Math.ceil((total ?? 0) / params.limit));
  const chosen = async function* () {
    let seen = 0;
    let given = 0;
    // What is not drawn is read on: the streams may have other readers, who want all of it.
    for await (const paired of pictures(ctx, source, detections)) {
      ctx.signal.throwIfAborted();
      if (seen % step === 0 && given++ < params.limit) yield paired;
      ctx.progress(++seen, total, "images");
    }
  };
  const images: StoredImage[] = [];
  const drawn = mapStream(
    chosen(),
    async ({ item, picture }) => draw(ctx, { item, picture: await picture(), params }),
    Math.min(4, availableParallelism()),
  );
  for await (const { bytes, entry } of drawn) {
    images.push(entry);
    if (images.length <= PREVIEWS) await ctx.preview(await previewJpeg(bytes), "image/jpeg");
  }
  if (images.length === 0) throw new UserError("no-frames", "There is no picture to draw on.", "Feed at least one.");
  return { images: await writeImages(ctx, images) };
});

interface Drawing {
  readonly item: DetectionItem;
  readonly picture: Picture;
  readonly params: AnnotateParams;
}

async function draw(ctx: RunContext, { item, picture, params }: Drawing) {
  const sure = item.detections.filter(({ score }) => score >= params.scoreThreshold);
  const image = rawImage(picture).composite([{ input: Buffer.from(boxesSvg(picture, sure)) }]);
  const bytes = await image.jpeg({ quality: 85 }).toBuffer();
  const { digest, size } = await ctx.artifacts.put("images", bytes);
  const file = /\.jpe?g$/i.test(item.frame) ? item.frame : `${item.frame}.jpg`;
  const entry: StoredImage = { file, width: picture.width, height: picture.height, blob: { digest, size } };
  return { bytes, entry };
}

interface Paired {
  readonly item: DetectionItem;
  /** Decodes on demand. */
  readonly picture: () => Promise<Picture>;
}

async function* pictures(
  ctx: RunContext,
  source: ArtifactRef<"images" | "frames"> | Stream<Frame>,
  detections: Stream<DetectionItem>,
): AsyncGenerator<Paired> {
  if (!("digest" in source)) {
    const frames = { stream: source, idOf: ({ id }: Frame) => id };
    const found = { stream: detections, idOf: ({ frame }: DetectionItem) => frame };
    for await (const [frame, item] of lockstep(frames, found)) yield { item, picture: async () => frame };
    return;
  }
  const files = await ctx.artifacts.files(source);
  for await (const item of detections) {
    const file = files[item.frame];
    if (!file) {
      throw new UserError(
        "different-images",
        `The detections are of ${item.frame}, which is not among the images.`,
        "Wire the images that the model looked at.",
      );
    }
    yield { item, picture: async () => decodeRgb(await ctx.artifacts.read(file, MAX_IMAGE_BYTES)) };
  }
}
