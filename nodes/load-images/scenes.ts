/**
 * Scenes as labelled images: a recipe names seeds and a size, and the pictures are drawn from it. `builtin:scenes` is such
 * a file; so no picture is shipped, and a set of any size can be had.
 */
import { z } from "zod";
import { type RunContext, type SourceFile, UserError } from "../context.ts";
import { previewJpeg, type StoredImage, writeImages } from "../images.ts";
import { encodeFrame } from "../load-scene/scene/encode.ts";
import { renderScene } from "../load-scene/scene/render.ts";
import { createScene } from "../load-scene/scene/scene.ts";
import type { ArtifactRef } from "../ports.ts";
import { mapStream } from "../streams.ts";

const recipeSchema = z.strictObject({
  kind: z.literal("scenes"),
  version: z.literal(1),
  /** Seeds first, first + 1, ... */
  first: z.int().nonnegative().max(0xffffffff),
  count: z.int().positive().max(100_000),
  width: z.int().min(64).max(1920),
  height: z.int().min(64).max(1920),
});
export type ScenesRecipe = z.output<typeof recipeSchema>;

const MAX_RECIPE_BYTES = 65_536;
const PREVIEWS = 3;

/** The recipe, where the source is one JSON file. Throws `bad-recipe` where that is none. */
export async function scenesRecipe(ctx: RunContext, sources: readonly SourceFile[]): Promise<ScenesRecipe | undefined> {
  const [file, ...more] = sources;
  if (!file?.name.endsWith(".json") || more.length > 0) return undefined;
  const text = new TextDecoder().decode(await ctx.artifacts.read(file, MAX_RECIPE_BYTES));
  const parsed = recipeSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new UserError(
    "bad-recipe",
    `${file.name} is no recipe of scenes.`,
    'Such a file is {"kind":"scenes","version":1,"first":10000,"count":500,"width":416,"height":416}; else give a folder.',
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Draws and stores the scenes, labels included; who is hardly seen counts neither for nor against (`crowd`). */
export async function writeScenes(
  ctx: RunContext,
  recipe: ScenesRecipe,
  limit: number,
): Promise<ArtifactRef<"images">> {
  const count = limit > 0 ? Math.min(limit, recipe.count) : recipe.count;
  const images: StoredImage[] = [];
  ctx.log(`${count} synthetic scenes: nobody in them exists`);
  const draw = async (seed: number): Promise<StoredImage> => {
    ctx.signal.throwIfAborted();
    const { width, height } = recipe;
    const scene = createScene({ seed, width, height });
    const frame = renderScene(scene);
    const jpeg = await encodeFrame(frame, scene.conditions.jpegQuality);
    if (seed < recipe.first + PREVIEWS) await ctx.preview(await previewJpeg(jpeg), "image/jpeg");
    const labels = frame.people.map(({ box, ignored }) => ({
      classId: 0,
      box: [...box] satisfies [number, number, number, number],
      ...(ignored && { crowd: true as const }),
    }));
    const { digest, size } = await ctx.artifacts.put("images", jpeg);
    return { file: `scene-${String(seed).padStart(6, "0")}.jpg`, width, height, labels, blob: { digest, size } };
  };
  // Two at once: one is drawn while the other is compressed.
  for await (const image of mapStream(seeds(recipe.first, count), draw, 2)) {
    images.push(image);
    ctx.progress(images.length, count, "images");
  }
  return writeImages(ctx, images, ["person"]);
}

async function* seeds(first: number, count: number): AsyncGenerator<number> {
  for (let seed = first; seed < first + count; seed++) yield seed;
}
