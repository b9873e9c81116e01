import { z } from "zod";
import { defineNode } from "../define.ts";

export const prune = defineNode({
  type: "prune",
  version: 2,
  title: "Prune",
  category: "Optimise",
  icon: "scissors",
  doc: "Takes channels or blocks out of a model, makes layers thinner or weights zero, and repairs what is left on a few inputs.",
  params: z.strictObject({
    method: z.enum(["channels", "blocks", "low-rank", "2:4", "unstructured"]).default("channels").meta({
      title: "Method",
      help: "channels: fewer multiply-adds on any device. blocks: residual branches that do little. low-rank: one wide product as two thin ones. 2:4: for NVIDIA's sparse tensor cores. unstructured: zeros, smaller when compressed, not faster.",
    }),
    macs: z.number().min(0.05).max(1).default(0.8).meta({
      title: "MACs to keep",
      help: "Share of the multiply-adds that is left, of channels, blocks and low-rank; where they go is chosen over the whole model.",
    }),
    latency: z.number().min(0.1).max(1).default(1).meta({
      title: "Latency to keep",
      help: "Share of the time that the target is predicted to take; below 1 it decides in place of the MACs, for the method channels.",
    }),
    sparsity: z.number().min(0).max(0.99).default(0.3).meta({
      title: "Sparsity",
      help: "Share of the weights that become zero, those first that cost least on tensors; for the method unstructured.",
    }),
    importance: z.enum(["auto", "energy", "l1", "l2"]).default("auto").meta({
      title: "Importance",
      help: "energy: what the layers behind lose without the channel, measured on tensors; with repair, what they cannot make good. l1, l2: size of its weights. auto: energy where tensors are wired, else l2.",
    }),
    scope: z.enum(["global", "layer"]).default("global").meta({
      title: "Scope",
      help: "global: channels leave where they cost least. layer: the same share of every layer.",
    }),
    multiple: z.int().min(0).max(64).default(0).meta({
      title: "Channel multiple",
      help: "Channels left are a multiple of this where they can be, since devices compute in blocks; 0: what the target likes.",
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
    mask: {
      kind: "report",
      doc: "What is left, to fine-tune in a training framework: indices of each tensor and which leave together; blocks; thin pairs; a bit for each weight.",
    },
  },
  effects: "infers",
  resources: ["cpu"],
  usesTarget: true,
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
  migrations: { 1: { name: "channels-by-what-the-outputs-lose", up: (params) => ({ ...params }) } },
});

export type PruneParams = z.output<typeof prune.params>;
