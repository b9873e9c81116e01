/** Opens every picture once (small, which shows all damage), matches labels, and stores the index beside the files. */
import { availableParallelism } from "node:os";
import sharp from "sharp";
import { parseClassNames } from "../cocoClasses.ts";
import { type RunContext, type SourceFile, UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import {
  DECODE_OPTIONS,
  MAX_IMAGE_BYTES,
  previewJpeg,
  reasonOf,
  type StoredImage,
  undecodable,
  writeImages,
} from "../images.ts";
import { isImageName } from "../imagesIndex.ts";
import { recipeIn } from "../load-scene/scene/recipe.ts";
import { mapStream, streamOf } from "../streams.ts";
import { type LabelSet, labelsFromCoco, labelsFromYolo } from "./labels.ts";
import { writeScenes } from "./scenes.ts";
import { loadImages } from "./schema.ts";

const PREVIEWS = 3;

export const run = implementNode(loadImages, async (ctx, _, { source, classes, limit }) => {
  const sources = ctx.sources.source ?? [];
  if (sources.length === 0) {
    if (source !== "") {
      throw new UserError("no-images", "The folder is empty.", "Choose a folder that holds images.");
    }
    const fix = "Set source to a folder of images, or to builtin:scenes for synthetic ones.";
    throw new UserError("no-source", "No folder of images is set.", fix);
  }
  const recipe = await recipeIn(ctx, sources);
  if (recipe) {
    if (ctx.sources.labels?.length) {
      throw new UserError("scenes-have-labels", "Scenes bring their own labels.", "Leave labels empty.");
    }
    return { images: await writeScenes(ctx, recipe, limit) };
  }
  const files = sources.filter(({ name }) => isImageName(name));
  if (files.length === 0) {
    throw new UserError("no-images", "The folder has no image.", "JPEG, PNG, WebP, TIFF, GIF and AVIF are read.");
  }
  const labels = await readLabels(ctx, parseClassNames(classes));
  const images: StoredImage[] = [];
  const wanted = limit > 0 ? files.slice(0, limit) : files;
  if (wanted.length < files.length) ctx.log(`the first ${limit} of ${files.length} images are taken`);
  const opened = mapStream(streamOf(wanted), (file) => openImage(ctx, file), Math.min(4, availableParallelism()));
  for await (const image of opened) {
    if (image) images.push(image);
    ctx.progress(images.length, wanted.length, "images");
  }
  if (images.length === 0) {
    throw new UserError("no-readable-image", "None of the images can be decoded.", "Check that the files are images.");
  }
  const labelled = labels ? withLabels(ctx, images, labels) : images;
  for (const image of images.slice(0, PREVIEWS)) {
    await ctx.preview(await previewJpeg(await ctx.artifacts.read(image.blob)), "image/jpeg");
  }
  return { images: await writeImages(ctx, labelled, labels?.classes ?? parseClassNames(classes)) };
});

async function openImage(ctx: RunContext, { name, digest, size }: SourceFile): Promise<StoredImage | undefined> {
  ctx.signal.throwIfAborted();
  try {
    if (size > MAX_IMAGE_BYTES) {
      throw new UserError("too-large", `the file has ${Math.round(size / 2 ** 20)} MB`, "Make it smaller.");
    }
    const image = sharp(await ctx.artifacts.read({ digest }, MAX_IMAGE_BYTES), DECODE_OPTIONS);
    const { autoOrient } = await image.metadata();
    // Reads every block at an eighth of the cost of decoding in full.
    await image.resize(32).raw().toBuffer();
    return { file: name, width: autoOrient.width, height: autoOrient.height, blob: { digest, size } };
  } catch (error) {
    ctx.signal.throwIfAborted();
    ctx.warn(`${name} is left out: ${undecodable(error)}`);
    return undefined;
  }
}

async function readLabels(ctx: RunContext, names: readonly string[] | undefined): Promise<LabelSet | undefined> {
  const files = ctx.sources.labels ?? [];
  const [first] = files;
  if (!first) return undefined;
  if (files.length === 1 && first.name.toLowerCase().endsWith(".json")) {
    return labelsFromCoco(parseJson(await ctx.artifacts.readText(first)));
  }
  const texts = files.filter(({ name }) => name.endsWith(".txt"));
  if (texts.length === 0) {
    throw new UserError(
      "bad-labels",
      "The labels are neither a COCO JSON file nor a folder of YOLO .txt files.",
      "Set labels to one of these, or leave it empty.",
    );
  }
  const read = await Promise.all(texts.map(async (file) => [file.name, await ctx.artifacts.readText(file)] as const));
  return labelsFromYolo(Object.fromEntries(read), names);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(
      "bad-labels",
      `The labels are not JSON: ${reasonOf(error)}.`,
      "Set labels to a COCO JSON file.",
    );
  }
}

function withLabels(ctx: RunContext, images: readonly StoredImage[], labels: LabelSet): StoredImage[] {
  let unknown = 0;
  let boxes = 0;
  const labelled = images.map((image): StoredImage => {
    const found = labels.of(image);
    if (!found) unknown++;
    boxes += found?.length ?? 0;
    return found ? { ...image, labels: [...found] } : image;
  });
  if (boxes === 0) {
    throw new UserError(
      "labels-match-nothing",
      `The labels match none of the ${images.length} images.`,
      "Label files bear the images' names (YOLO), or the JSON lists them by file_name (COCO).",
    );
  }
  if (unknown > 0)
    ctx.warn(`${unknown} of ${images.length} images are not in the labels: an evaluation leaves them out.`);
  return labelled;
}
