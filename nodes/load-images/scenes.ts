/** The pictures of a recipe of scenes as labelled images, each drawn from its seed; or of one scene, with track ids. */
import type { RunContext } from "../context.ts";
import { previewJpeg, type StoredImage, writeImages } from "../images.ts";
import type { ImageLabel } from "../imagesIndex.ts";
import type { DrawJob } from "../load-scene/scene/drawer.ts";
import { drawScenes } from "../load-scene/scene/drawScenes.ts";
import type { ScenePerson } from "../load-scene/scene/labels.ts";
import { frameJob, type Recipe } from "../load-scene/scene/recipe.ts";
import type { ArtifactRef } from "../ports.ts";
import { mapStream, streamOf } from "../streams.ts";

const PREVIEWS = 3;

interface Picture {
  readonly file: string;
  readonly job: DrawJob;
}

/** Draws and stores the pictures, labels included. */
export async function writeScenes(ctx: RunContext, recipe: Recipe, limit: number): Promise<ArtifactRef<"images">> {
  const pictures = picturesOf(recipe, limit);
  const { width, height } = recipe;
  const images: StoredImage[] = [];
  ctx.log(`${pictures.length} synthetic pictures: nobody in them exists`);
  const drawn = drawScenes(streamOf(pictures.map(({ job }) => job)), ctx);
  const stored = mapStream(drawn, async ({ jpeg, people }, index): Promise<StoredImage> => {
    if (index < PREVIEWS) await ctx.preview(await previewJpeg(jpeg), "image/jpeg");
    const labels = people.map((person) => labelOf(person, recipe.kind === "scene-video"));
    const { digest, size } = await ctx.artifacts.put("images", jpeg);
    return { file: pictures[index]?.file ?? "", width, height, labels, blob: { digest, size } };
  });
  for await (const image of stored) {
    images.push(image);
    ctx.progress(images.length, pictures.length, "images");
  }
  return writeImages(ctx, images, ["person"]);
}

function picturesOf(recipe: Recipe, limit: number): Picture[] {
  const all = recipe.kind === "scenes" ? recipe.count : recipe.frames;
  return Array.from({ length: limit > 0 ? Math.min(limit, all) : all }, (_, index) => {
    if (recipe.kind === "scene-video") return { file: `frame-${padded(index)}.jpg`, job: frameJob(recipe, index) };
    const { first, width, height } = recipe;
    return { file: `scene-${padded(first + index)}.jpg`, job: { scene: { seed: first + index, width, height } } };
  });
}

function padded(number: number): string {
  return String(number).padStart(6, "0");
}

/** Who is hardly seen counts neither for nor against (`crowd`). */
function labelOf({ box, ignored, track }: ScenePerson, tracked: boolean): ImageLabel {
  return { classId: 0, box: [...box], ...(ignored && { crowd: true as const }), ...(tracked && { track }) };
}
