/** The frames of a filmed scene, as a video file of it would give them: for which no file and no ffmpeg is needed. */
import { type RunContext, UserError } from "../context.ts";
import { decodeRgb } from "../images.ts";
import { drawScenes } from "../load-scene/scene/drawScenes.ts";
import { frameJob, type Recipe, type VideoRecipe } from "../load-scene/scene/recipe.ts";
import type { Frame, Stream } from "../ports.ts";
import { mapStream, streamOf } from "../streams.ts";
import type { VideoParams } from "./schema.ts";

/** Throws `bad-recipe` for pictures that are no sequence. */
export function videoOf(recipe: Recipe): VideoRecipe {
  if (recipe.kind === "scene-video") return recipe;
  throw new UserError("bad-recipe", "The recipe is of single pictures.", "Load them with load-images.");
}

/** Another `fps` films the same seconds; `every` and `limit` leave frames out, which keep their numbers. */
export function sceneFrames(ctx: RunContext, recipe: VideoRecipe, { fps, every, limit }: VideoParams): Stream<Frame> {
  const rate = fps > 0 ? fps : recipe.fps;
  const all = Math.max(1, Math.round((recipe.frames / recipe.fps) * rate));
  const numbers = Array.from({ length: Math.ceil(all / every) }, (_, i) => i * every).slice(0, limit || undefined);
  const jobs = numbers.map((number) => frameJob({ ...recipe, fps: rate }, number));
  const frame = async ({ jpeg }: { readonly jpeg: Uint8Array }, index: number): Promise<Frame> => {
    const id = `frame-${String(numbers[index]).padStart(6, "0")}`;
    return { id, index, ...(await decodeRgb(jpeg)) };
  };
  ctx.log(`${numbers.length} synthetic frames: nobody in them exists`);
  return mapStream(Object.assign(drawScenes(streamOf(jobs), ctx), { total: jobs.length }), frame);
}
