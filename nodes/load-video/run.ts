import { type RunContext, UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import { MAX_PIXELS, previewJpeg } from "../images.ts";
import { recipeIn } from "../load-scene/scene/recipe.ts";
import type { Frame } from "../ports.ts";
import { withTotal } from "../streams.ts";
import { findFfmpeg, probeVideo } from "./ffmpeg.ts";
import { expectedFrames, videoFrames } from "./frames.ts";
import { sceneFrames, videoOf } from "./sceneFrames.ts";
import { loadVideo } from "./schema.ts";

const PREVIEWS = 3;

export const run = implementNode(loadVideo, async (ctx, _, params) => {
  const sources = ctx.sources.source ?? [];
  const recipe = await recipeIn(ctx, sources);
  if (recipe) {
    const frames = sceneFrames(ctx, videoOf(recipe), params);
    return { frames: withTotal(watched(ctx, frames, frames.total), frames.total) };
  }
  const [file, ...more] = sources;
  if (!file)
    throw new UserError(
      "no-source",
      "No video is set.",
      "Set source to a video file, or to builtin:scene-video for a synthetic one.",
    );
  if (more.length > 0) throw new UserError("many-files", "The source is a folder.", "Set source to one video file.");
  const [ffmpeg, path] = await Promise.all([findFfmpeg(), ctx.artifacts.filePath(file)]);
  const info = await probeVideo(ffmpeg, path, ctx.signal);
  if (info.width * info.height > MAX_PIXELS) {
    throw new UserError("video-too-large", `Frames of ${info.width} x ${info.height} are too large.`, "Scale it down.");
  }
  const total = expectedFrames(info, params);
  const frames = videoFrames({ ffmpeg, path, info, params, signal: ctx.signal });
  return { frames: withTotal(watched(ctx, frames, total), total) };
});

/** Counts the frames, and shows three from across the video (the first three where its length is not known). */
async function* watched(ctx: RunContext, frames: AsyncIterable<Frame>, total: number | undefined) {
  const step = Math.max(1, Math.floor((total ?? 0) / PREVIEWS));
  let done = 0;
  for await (const frame of frames) {
    if (done % step === 0 && done / step < PREVIEWS) await ctx.preview(await previewJpeg(frame), "image/jpeg");
    ctx.progress(++done, total, "frames");
    yield frame;
  }
}
