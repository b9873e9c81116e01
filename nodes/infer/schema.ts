import { z } from "zod";
import { defineNode } from "../define.ts";

export const infer = defineNode({
  type: "infer",
  version: 1,
  title: "Infer",
  category: "Vision",
  icon: "play",
  doc: "Runs the model on each frame's tensors, one after another, and passes its outputs on.",
  params: z.strictObject({
    threads: z.int().min(0).max(256).default(0).meta({
      title: "Threads",
      help: "0 uses every core. Timing is the profile node's matter; this is only how long you wait.",
    }),
  }),
  inputs: {
    model: { kinds: ["model", "engine"], doc: "What to run." },
    tensors: { kinds: ["tensors"], doc: "The model's input, frame by frame." },
  },
  outputs: { tensors: { kind: "tensors", doc: "The model's outputs by name, with the frame they belong to." } },
  effects: "infers",
  resources: ["cpu"],
  migrations: {},
});
