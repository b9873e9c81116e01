import { z } from "zod";
import { defineNode } from "../define.ts";

export const loadImages = defineNode({
  type: "load-images",
  version: 1,
  title: "Load images",
  category: "Source",
  icon: "images",
  doc: "A folder of pictures, with labels where there are any: COCO's JSON, or YOLO's text files. Or labelled synthetic scenes, for which no file is needed: builtin:scenes.",
  params: z.strictObject({
    source: z.string().default("").meta({
      title: "Images",
      help: "A folder; folders in it are read too. JPEG, PNG, WebP, TIFF, GIF or AVIF. builtin:scenes: 500 synthetic ones to test with; builtin:scenes-train: others to calibrate with; builtin:scene-video: a filmed one, with track ids.",
      source: "images",
    }),
    labels: z.string().default("").meta({
      title: "Labels",
      help: "A COCO JSON file, or a folder of YOLO .txt files named as the images.",
      source: "labels",
      optional: true,
    }),
    classes: z.string().default("").meta({
      title: "Class names",
      help: "For YOLO's labels: names parted by commas, or coco. Empty: classes.txt beside them, or COCO's by their ids.",
    }),
    limit: z
      .int()
      .nonnegative()
      .default(0)
      .meta({ title: "At most", unit: "images", help: "The first by name; 0: all." }),
  }),
  inputs: {},
  outputs: { images: { kind: "images", doc: "The pictures, with labels where given." } },
  effects: "pure",
  resources: ["io"],
  migrations: {},
});
