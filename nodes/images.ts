/**
 * Images as an artifact, and as frames.
 *
 * Decoding agrees with OpenCV's `imread(IMREAD_COLOR)`: the EXIF orientation is applied, an alpha channel is dropped
 * (not blended), grey becomes three equal channels, ICC profiles are ignored, 16 bits become 8. Sizes and boxes in the
 * index are those of the oriented picture. Of an animation only the first picture is read.
 */
import { availableParallelism } from "node:os";
import sharp from "sharp";
import { type RunContext, UserError } from "./context.ts";
import { type ImageEntry, type ImagesIndex, INDEX_FILE, imagesIndexSchema } from "./imagesIndex.ts";
import type { ArtifactRef, Frame, Stream } from "./ports.ts";
import { mapStream, streamOf, withTotal } from "./streams.ts";

/** 100 megapixels: 300 MB decoded. */
export const MAX_PIXELS = 100_000_000;
/** An image file above this is refused before it is read. */
export const MAX_IMAGE_BYTES = 64 * 2 ** 20;

/** Options of every decoder: what a damaged file may do, and how large it may say it is. */
export const DECODE_OPTIONS = { limitInputPixels: MAX_PIXELS, failOn: "error", ignoreIcc: true } as const;

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** height x width x 3, 8 bits. */
  readonly rgb: Uint8Array;
}

// Every picture is another one: what sharp keeps of the last hundred, ten megabytes and more, nobody asks for again.
sharp.cache(false);

/** Throws (sharp's words) where the bytes are no image, are cut short, or have more than `MAX_PIXELS`. */
export async function decodeRgb(bytes: Uint8Array): Promise<Picture> {
  const { data, info } = await sharp(bytes, DECODE_OPTIONS)
    .autoOrient()
    .removeAlpha()
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: data };
}

/** At most 480 px wide, as `ctx.preview` wants it; `picture` is decoded pixels or an image file. */
export async function previewJpeg(picture: Picture | Uint8Array, width = 480): Promise<Uint8Array> {
  const image = picture instanceof Uint8Array ? sharp(picture, DECODE_OPTIONS).autoOrient() : rawImage(picture);
  return image.resize({ width, withoutEnlargement: true }).jpeg({ quality: 80 }).toBuffer();
}

/** Decoded pixels as the start of a sharp chain. */
export function rawImage(picture: Picture) {
  return sharp(picture.rgb, { raw: { width: picture.width, height: picture.height, channels: 3 } });
}

export interface StoredImage extends ImageEntry {
  readonly blob: { readonly digest: string; readonly size: number };
}

/** Writes the tree of an images artifact from files that are in the store already. */
export async function writeImages(
  ctx: RunContext,
  images: readonly StoredImage[],
  classes?: readonly string[],
): Promise<ArtifactRef<"images">> {
  const index: ImagesIndex = {
    kind: "images",
    version: 1,
    ...(classes ? { classes: [...classes] } : {}),
    images: images.map(({ blob: _, ...entry }) => entry),
  };
  const { digest, size } = await ctx.artifacts.put("images", new TextEncoder().encode(`${JSON.stringify(index)}\n`));
  const files = Object.fromEntries(images.map((image) => [image.file, image.blob]));
  return ctx.artifacts.putTree("images", { ...files, [INDEX_FILE]: { digest, size } });
}

/** Throws `bad-images` where the artifact has no readable index. */
export async function readImagesIndex(ctx: RunContext, ref: ArtifactRef<"images">): Promise<ImagesIndex> {
  const entry = (await ctx.artifacts.files(ref))[INDEX_FILE];
  const parsed = entry ? imagesIndexSchema.safeParse(await ctx.artifacts.readJson(entry)) : undefined;
  if (parsed?.success) return parsed.data;
  throw new UserError("bad-images", "This images artifact has no readable index.json.", "Run load-images again.");
}

/**
 * The pictures in the index's order, decoded a few ahead. One that cannot be decoded is reported with `ctx.warn` and
 * left out; throws `no-readable-image` at the end where that leaves none. `total` counts the index.
 */
export async function framesFromImages(ctx: RunContext, ref: ArtifactRef<"images">): Promise<Stream<Frame>> {
  const [index, files] = await Promise.all([readImagesIndex(ctx, ref), ctx.artifacts.files(ref)]);
  const decode = async (image: ImageEntry, i: number): Promise<Frame | undefined> => {
    ctx.signal.throwIfAborted();
    const blob = files[image.file];
    try {
      if (!blob) throw new UserError("missing-file", "the file is missing", "Run load-images again.");
      const picture = await decodeRgb(await ctx.artifacts.read(blob, MAX_IMAGE_BYTES));
      return { id: image.file, index: i, ...picture };
    } catch (error) {
      ctx.signal.throwIfAborted();
      ctx.warn(`${image.file} is left out: ${undecodable(error)}`);
      return undefined;
    }
  };
  const decoded = mapStream(streamOf(index.images), decode, Math.min(4, availableParallelism()));
  return withTotal(present(decoded), index.images.length);
}

/** Why a picture is left out. A decoder's own words for one damaged file differ from try to try. */
export function undecodable(error: unknown): string {
  if (error instanceof UserError) return error.message;
  if (/pixel limit/i.test(reasonOf(error))) return `it has more than ${MAX_PIXELS / 1e6} megapixels`;
  return "it cannot be decoded: damaged, or no image";
}

/** The first line of an error's message: a decoder's has many. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}

async function* present(frames: AsyncIterable<Frame | undefined>): AsyncGenerator<Frame> {
  let none = true;
  for await (const frame of frames) {
    if (!frame) continue;
    none = false;
    yield frame;
  }
  if (none) {
    throw new UserError("no-readable-image", "None of the images can be decoded.", "Check that the files are images.");
  }
}
