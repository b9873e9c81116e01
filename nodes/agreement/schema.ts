import { z } from "zod";
import { defineNode } from "../define.ts";

export const agreement = defineNode({
  type: "agreement",
  version: 2,
  title: "Agreement",
  category: "Report",
  icon: "equal-approximately",
  doc: "How close a changed model's outputs are to the original's on the same frames. It needs no labels.",
  params: z.strictObject({
    pool: z.enum(["none", "mean"]).default("none").meta({
      title: "Pool",
      help: "mean: an output [batch, length, width] becomes one embedding by its mean along the length, as sentence encoders are used. Wire the model's inputs too where examples are padded: attention_mask then says what counts.",
    }),
  }),
  inputs: {
    candidate: { kinds: ["tensors"], doc: "Outputs of the changed model." },
    reference: { kinds: ["tensors"], doc: "Outputs of the original, for the same frames." },
    inputs: { kinds: ["tensors"], optional: true, doc: "What both were fed, for pooling by its attention_mask." },
  },
  outputs: {
    report: {
      kind: "report",
      doc: "SQNR, cosine (over all, and the mean and least of a frame) and largest difference of each output.",
    },
  },
  effects: "pure",
  resources: ["cpu"],
  // The report gained each frame's cosine; the params of old documents hold.
  migrations: { 1: { name: "cosine-of-each-frame", up: (params) => ({ ...params }) } },
});
