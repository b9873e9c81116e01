import { z } from "zod";
import { defineNode } from "../define.ts";

export const prune = defineNode({
  type: "prune",
  version: 1,
  title: "Prune",
  category: "Optimise",
  icon: "scissors",
  doc: "Takes whole channels out of a model, or sets small weights to zero, and repairs what is left on a few inputs.",
  params: z.strictObject({
    method: z.enum(["channels", "unstructured"]).default("channels").meta({
      title: "Method",
      help: "channels: fewer multiply-adds on any device. unstructured: zeros, smaller when compressed, not faster.",
    }),
    macs: z.number().min(0.05).max(1).default(0.8).meta({
      title: "MACs to keep",
      help: "Share of the multiply-adds that is left; which channels go is chosen over the whole model.",
    }),
    sparsity: z.number().min(0).max(0.99).default(0.3).meta({
      title: "Sparsity",
      help: "Share of the weights that become zero, those first that cost least on tensors; for the method unstructured.",
    }),
    importance: z.enum(["auto", "energy", "l1", "l2"]).default("auto").meta({
      title: "Importance",
      help: "energy: what the layers behind lose without the channel, measured on tensors. l1, l2: size of its weights. auto: energy where tensors are wired, else l2.",
    }),
    multiple: z.int().min(1).max(64).default(8).meta({
      title: "Channel multiple",
      help: "Channels left are a multiple of this where they can be; devices compute in blocks.",
    }),
    repair: z.boolean().default(true).meta({
      title: "Repair",
      help: "Refits the layers behind what was taken out to the original's outputs; needs tensors.",
    }),
  }),
  inputs: {
    model: { kinds: ["model"], doc: "The float model; prune before quantizing." },
    tensors: {
      kinds: ["tensors"],
      optional: true,
      doc: "Preprocessed images like those the model will see, 40 serve well: a fifth is held back to measure on.",
    },
  },
  outputs: {
    model: { kind: "model", doc: "The pruned model." },
    report: {
      kind: "report",
      doc: "Channels kept by layer, what stayed and why, work and size, error on held-back items.",
    },
  },
  effects: "infers",
  resources: ["cpu"],
  check: ({ importance, method }, { wired }) =>
    importance === "energy" && method === "channels" && !wired.tensors?.length
      ? [
          {
            code: "needs-tensors",
            severity: "error" as const,
            portId: "tensors",
            message: "Importance by energy is measured on inputs, and no tensors are wired.",
            fix: "Wire a preprocess into tensors, or set importance to l2.",
          },
        ]
      : [],
  migrations: {},
});
