/**
 * A recipe is a small JSON file that stands for pictures: seeds and a size, or one scene filmed. `builtin:scenes` and
 * `builtin:scene-video` are such files; so no picture is shipped, and a set of any size can be had.
 */
import { z } from "zod";
import { type RunContext, type SourceFile, UserError } from "../../context.ts";
import type { DrawJob } from "./drawer.ts";

const seed = z.int().nonnegative().max(0xffffffff);
const side = z.int().min(64).max(1920);
const head = { version: z.literal(1), width: side, height: side };

const scenesRecipe = z.strictObject({
  ...head,
  kind: z.literal("scenes"),
  /** Seeds first, first + 1, ... */
  first: seed,
  count: z.int().positive().max(100_000),
});

const videoRecipe = z.strictObject({
  ...head,
  kind: z.literal("scene-video"),
  seed,
  place: z.enum(["corridor", "shop", "yard", "street"]).optional(),
  light: z.enum(["day", "dusk", "night", "infrared"]).optional(),
  weather: z.enum(["dry", "rain"]).optional(),
  /** At most. */
  people: z.int().nonnegative().max(40).optional(),
  frames: z.int().positive().max(100_000),
  fps: z.number().positive().max(240),
});

export type ScenesRecipe = z.output<typeof scenesRecipe>;
export type VideoRecipe = z.output<typeof videoRecipe>;
const recipe = z.discriminatedUnion("kind", [scenesRecipe, videoRecipe]);
export type Recipe = z.output<typeof recipe>;

const MAX_RECIPE_BYTES = 65_536;

/** The recipe, where the source is one JSON file. Throws `bad-recipe` where that is none. */
export async function recipeIn(ctx: RunContext, sources: readonly SourceFile[]): Promise<Recipe | undefined> {
  const [file, ...more] = sources;
  if (!file?.name.endsWith(".json") || more.length > 0) return undefined;
  const text = new TextDecoder().decode(await ctx.artifacts.read(file, MAX_RECIPE_BYTES));
  const parsed = recipe.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new UserError(
    "bad-recipe",
    `${file.name} is no recipe of scenes.`,
    'Such a file is {"kind":"scenes","version":1,"first":10000,"count":500,"width":416,"height":416}, or with "kind":"scene-video", seed, frames and fps in place of first and count.',
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A frame of a sequence; `fps` counts from the scene's begin. */
export function frameJob({ kind: _, version: __, frames: ___, fps, ...scene }: VideoRecipe, index: number): DrawJob {
  return { scene, moment: { seconds: index / fps, index } };
}
