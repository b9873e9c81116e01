import { z } from "zod";
import { defineNode } from "../define.ts";
import { DECODER_NAMES } from "./decoders.ts";

const fraction = z.number().min(0).max(1);

export const nms = defineNode({
  type: "nms",
  version: 1,
  title: "NMS",
  category: "Vision",
  icon: "scan-search",
  doc: "A detector's outputs to boxes in the picture: decode, keep the best of those that overlap.",
  params: z.strictObject({
    decoder: z
      .enum(["auto", ...DECODER_NAMES, "classify"])
      .default("auto")
      .meta({
        title: "Decoder",
        help: "How the model writes boxes; auto goes by the shapes. classify: the five best classes, as whole-image boxes.",
      }),
    scoreThreshold: fraction.default(0.25).meta({ title: "Score at least", help: "0.01 or less for an evaluation." }),
    iouThreshold: fraction.default(0.45).meta({ title: "IoU at most", help: "Of two boxes that stay." }),
    maxDetections: z.int().min(1).max(10_000).default(300).meta({ title: "Most boxes a picture" }),
    classAware: z.boolean().default(true).meta({
      title: "Class by class",
      help: "Boxes of different classes do not suppress each other.",
    }),
    classesPerBox: z.enum(["auto", "best", "all"]).default("auto").meta({
      title: "Classes a box",
      help: "all: each that scores enough, as evaluations count. auto: all where the score threshold is 0.1 or less.",
    }),
    soft: z.boolean().default(false).meta({
      title: "Soft-NMS",
      help: "Overlapping boxes lose score instead of going at once.",
    }),
    softSigma: z
      .number()
      .positive()
      .default(0.5)
      .meta({ title: "Soft-NMS sigma", help: "Larger forgives more overlap." }),
    classes: z.string().default("").meta({
      title: "Class names",
      help: "Parted by commas, or coco. Empty: COCO's where the model has 80 classes.",
    }),
  }),
  inputs: {
    tensors: { kinds: ["tensors"], doc: "Outputs of a detector or classifier." },
    settings: {
      kinds: ["settings"],
      optional: true,
      doc: "Of the model: its decoder and class names hold where none are set here.",
    },
  },
  outputs: { detections: { kind: "detections", doc: "Boxes in source pixels, best first." } },
  effects: "pure",
  resources: ["cpu"],
  migrations: {},
});

export type NmsParams = z.output<typeof nms.params>;

/** The part of a model's `settings` that is read here; a preprocess's have none. */
export const settingsForNms = z.looseObject({
  kind: z.literal("settings"),
  version: z.literal(1),
  nms: nms.params.pick({ decoder: true, classes: true }).optional(),
});
