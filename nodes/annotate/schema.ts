import { z } from "zod";
import { defineNode } from "../define.ts";

export const annotate = defineNode({
  type: "annotate",
  version: 1,
  title: "Annotate",
  category: "Vision",
  icon: "square-dashed-mouse-pointer",
  doc: "Draws boxes, classes and scores on the pictures.",
  params: z.strictObject({
    scoreThreshold: z.number().min(0).max(1).default(0.25).meta({
      title: "Score at least",
      help: "Only boxes this sure are drawn.",
    }),
    limit: z.int().min(1).max(10_000).default(200).meta({
      title: "At most",
      unit: "images",
      help: "Of a longer source, spread evenly over it where its length is known.",
    }),
  }),
  inputs: {
    source: { kinds: ["images", "frames"], doc: "The pictures." },
    detections: { kinds: ["detections"], doc: "What was found in them." },
  },
  outputs: { images: { kind: "images", doc: "The pictures with boxes, as JPEG." } },
  effects: "pure",
  resources: ["cpu"],
  migrations: {},
});

export type AnnotateParams = z.output<typeof annotate.params>;
