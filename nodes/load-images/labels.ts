/** Labels as found in the wild, to those of the images index: COCO's JSON and YOLO's text files. Pure. */
import { z } from "zod";
import { COCO_CLASSES } from "../cocoClasses.ts";
import { UserError } from "../context.ts";
import type { ImageLabel } from "../imagesIndex.ts";

export interface NamedImage {
  readonly file: string;
  readonly width: number;
  readonly height: number;
}

export interface LabelSet {
  readonly classes?: readonly string[];
  /** The image's labels, empty where it shows nothing; undefined where the labels do not speak of it. */
  readonly of: (image: NamedImage) => readonly ImageLabel[] | undefined;
}

const cocoSchema = z.object({
  images: z.array(z.object({ id: z.union([z.number(), z.string()]), file_name: z.string() })),
  annotations: z.array(
    z.object({
      image_id: z.union([z.number(), z.string()]),
      category_id: z.number(),
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]).optional(),
      iscrowd: z.union([z.number(), z.boolean()]).optional(),
    }),
  ),
  categories: z.array(z.object({ id: z.number(), name: z.string() })),
});

/** Class ids are the places of the categories in the order of their ids. Throws `bad-labels`. */
export function labelsFromCoco(json: unknown): LabelSet {
  const parsed = cocoSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue ? `: ${issue.path.join(".")} ${issue.message}` : "";
    throw bad(`The labels are not COCO's JSON${where}.`, "It has images, annotations and categories.");
  }
  const { images, annotations, categories } = parsed.data;
  const sorted = [...categories].sort((a, b) => a.id - b.id);
  const classOf = new Map(sorted.map(({ id }, classId) => [id, classId]));
  const byImage = new Map<string | number, CocoLabel[]>(images.map(({ id }) => [id, []]));
  for (const { image_id, category_id, bbox, iscrowd } of annotations) {
    const classId = classOf.get(category_id);
    if (classId === undefined) throw bad(`An annotation has the unknown category ${category_id}.`, "Add the category.");
    byImage.get(image_id)?.push({ classId, ...(bbox && { box: bbox }), ...(iscrowd && { crowd: true }) });
  }
  const byFile = fileLookup(images.map(({ id, file_name }) => [file_name, byImage.get(id) ?? []]));
  return {
    classes: sorted.map(({ name }) => name),
    of: ({ file, width, height }) => byFile(file)?.map((label) => ({ box: [0, 0, width, height], ...label })),
  };
}

/** Without a box (a classifier's label) it is about the whole image. */
type CocoLabel = Omit<ImageLabel, "box"> & { readonly box?: ImageLabel["box"] };

/**
 * One text file an image: `class cx cy width height`, fractions of the image. An image without a file shows nothing.
 * `names` wins over a `classes.txt` among the files. Throws `bad-labels`.
 */
export function labelsFromYolo(files: Readonly<Record<string, string>>, names?: readonly string[]): LabelSet {
  const listed = Object.entries(files).find(([name]) => baseName(name) === "classes.txt")?.[1];
  const labels = Object.entries(files).filter(([name]) => baseName(name) !== "classes.txt");
  const rows = labels.map(([name, text]) => [stem(name), parseYolo(name, text)] as const);
  const byStem = fileLookup(rows);
  const ids = rows.flatMap(([, boxes]) => boxes.map(({ classId }) => classId));
  const classes = names ?? lines(listed ?? "").map((line) => line.trim());
  const known = classes.length > 0 ? classes : namesFor(ids);
  const highest = ids.reduce((most, id) => Math.max(most, id), -1);
  if (known && highest >= known.length) {
    throw bad(`The labels use class ${highest}, but ${known.length} class names are given.`, "Name every class.");
  }
  return {
    ...(known && { classes: known }),
    of: ({ file, width, height }) =>
      (byStem(stem(file)) ?? []).map(({ classId, box: [cx, cy, w, h] }) => ({
        classId,
        box: [(cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height],
      })),
  };
}

/** Ids up to 79 that go well beyond other data sets' tell COCO's 80 classes; fewer classes stay without names. */
function namesFor(ids: readonly number[]): readonly string[] | undefined {
  const highest = ids.reduce((most, id) => Math.max(most, id), -1);
  return highest >= COCO_CLASSES.length / 2 && highest < COCO_CLASSES.length ? COCO_CLASSES : undefined;
}

interface YoloBox {
  readonly classId: number;
  readonly box: readonly [number, number, number, number];
}

function parseYolo(name: string, text: string): YoloBox[] {
  return lines(text).map((line) => {
    const [classId = Number.NaN, cx = Number.NaN, cy = Number.NaN, w = Number.NaN, h = Number.NaN, ...more] = line
      .trim()
      .split(/\s+/)
      .map(Number);
    const fractions = [cx, cy, w, h].every((x) => x >= 0 && x <= 1.01);
    // A sixth number would be a score or a polygon: neither is a box label.
    if (more.length > 0 || !Number.isInteger(classId) || classId < 0 || !fractions) {
      throw bad(
        `${name} has the line "${line.slice(0, 60)}".`,
        "A line is: class, centre x, centre y, width, height; the last four as fractions of the image.",
      );
    }
    return { classId, box: [cx, cy, w, h] };
  });
}

/** By the whole name; else by the last part, where only one entry ends so. */
function fileLookup<T>(entries: readonly (readonly [string, T])[]): (file: string) => T | undefined {
  const whole = new Map(entries);
  const byBase = new Map<string, T | undefined>();
  for (const [name, value] of entries) byBase.set(baseName(name), byBase.has(baseName(name)) ? undefined : value);
  return (file) => whole.get(file) ?? byBase.get(baseName(file));
}

function lines(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== "");
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function stem(path: string): string {
  const dot = path.lastIndexOf(".");
  return dot > path.lastIndexOf("/") ? path.slice(0, dot) : path;
}

function bad(message: string, fix: string): UserError {
  return new UserError("bad-labels", message, fix);
}
