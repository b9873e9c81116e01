import { z } from "zod";
import { defineNode } from "../define.ts";

export const evaluate = defineNode({
  type: "evaluate",
  version: 1,
  title: "Evaluate",
  category: "Report",
  icon: "target",
  doc: "How right the detections are: COCO's mAP against labels, and how well they agree with a reference's.",
  params: z.strictObject({
    task: z.enum(["detection", "classification"]).default("detection").meta({
      title: "Task",
      help: "Classification gives top-1 and top-5 of an NMS node with the decoder classify.",
    }),
    agreementScore: z.number().min(0).max(1).default(0.25).meta({
      title: "Agreement: score at least",
      help: "Boxes surer than this are compared with the reference's.",
    }),
  }),
  inputs: {
    detections: { kinds: ["detections"], doc: "What a model found." },
    images: { kinds: ["images"], doc: "The pictures it looked at, with labels." },
    reference: {
      kinds: ["detections"],
      optional: true,
      doc: "What the original model found in the same frames: no labels are needed to compare with it.",
    },
  },
  outputs: { report: { kind: "report", doc: "mAP, mAP50, AP by class; agreement where there is a reference." } },
  effects: "pure",
  resources: ["cpu"],
  migrations: {},
});

export type EvaluateParams = z.output<typeof evaluate.params>;
