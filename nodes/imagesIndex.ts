/**
 * The index of an `images` artifact: a tree with `index.json` and the image files beside it. Browser-safe, so that faces
 * read it too; `images.ts` writes it and decodes the files.
 */
import { z } from "zod";

/** The ways an image file may end; anything else in a folder is not an image. */
export const IMAGE_EXTENSIONS = ["jpg", "jpeg", "png", "webp", "tif", "tiff", "gif", "avif"] as const;
export const INDEX_FILE = "index.json";

const labelSchema = z.strictObject({
  classId: z.int().nonnegative(),
  /** x, y of the top-left corner, width, height; source pixels. */
  box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  /** COCO's `iscrowd`: a region of many objects, whose detections count neither for nor against. */
  crowd: z.literal(true).optional(),
  /** Of a sequence: the same object has the same number in every picture. */
  track: z.int().nonnegative().optional(),
});

const imageSchema = z.strictObject({
  /** Name within the tree, `/` for folders: the `frame` of detections. */
  file: z.string().min(1),
  /** Pixels, after the EXIF orientation is applied. */
  width: z.int().positive(),
  height: z.int().positive(),
  /** Absent where nobody labelled the image; an empty list says that it shows nothing. */
  labels: z.array(labelSchema).optional(),
});

export const imagesIndexSchema = z.strictObject({
  kind: z.literal("images"),
  version: z.literal(1),
  /** Names by class id. */
  classes: z.array(z.string()).optional(),
  images: z.array(imageSchema),
});

export type ImagesIndex = z.output<typeof imagesIndexSchema>;
export type ImageEntry = ImagesIndex["images"][number];
export type ImageLabel = z.output<typeof labelSchema>;

export function isImageName(name: string): boolean {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return IMAGE_EXTENSIONS.some((known) => known === extension);
}
