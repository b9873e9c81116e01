/** Streams pictures through one preprocessor; the first ones are shown as the network sees them. */
import { implementNode } from "../define.ts";
import { framesFromImages, previewJpeg } from "../images.ts";
import type { ArtifactRef, Frame, Stream, TensorItem } from "../ports.ts";
import { mapStream } from "../streams.ts";
import { createPreprocessor, type RgbPicture } from "./pictureToTensor.ts";
import { type PreprocessParams, preprocess } from "./schema.ts";
import { settled } from "./settled.ts";

const PREVIEWS = 3;

export const run = implementNode(preprocess, async (ctx, { source, settings }, params) => {
  const wired = settings && settled(params, await ctx.artifacts.readJson(settings));
  for (const departure of wired?.departures ?? []) ctx.log(departure);
  const used = wired?.params ?? params;
  const bytes = new TextEncoder().encode(`${JSON.stringify({ kind: "settings", version: 1, ...used })}\n`);
  const frames = isImages(source) ? await framesFromImages(ctx, source) : source;
  const convert = createPreprocessor(used);
  const show = createPreprocessor(asPicture(used));
  let shown = 0;
  const item = async (frame: Frame, index: number): Promise<TensorItem> => {
    ctx.signal.throwIfAborted();
    const { tensor, transform } = convert(frame);
    if (shown++ < PREVIEWS) await ctx.preview(await previewJpeg(seen(frame, show(frame).tensor.data)), "image/jpeg");
    ctx.progress(index + 1, frames.total, "images");
    const { id, width, height } = frame;
    return { frame: { id, index: frame.index, width, height }, transform, tensors: { "": tensor } };
  };
  const seen = (frame: Frame, data: unknown): RgbPicture =>
    data instanceof Uint8Array ? { width: used.width, height: used.height, rgb: data } : frame;
  return { tensors: mapStream(frames, item), settings: await ctx.artifacts.put("settings", bytes) };
});

function isImages(source: ArtifactRef<"images" | "frames"> | Stream<Frame>): source is ArtifactRef<"images"> {
  return "digest" in source;
}

/** The same geometry, as a picture one can look at. */
function asPicture(params: PreprocessParams): PreprocessParams {
  const plain = { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] };
  return { ...params, ...plain, colorOrder: "RGB", layout: "NHWC", dtype: "u8" };
}
