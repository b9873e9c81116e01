/** The report of prune: what left, what stayed and why, what it saves, and what it costs in accuracy. */
import { z } from "zod";

const figures = z.object({ before: z.number(), after: z.number() });

export const pruneReport = z.object({
  kind: z.literal("prune"),
  version: z.literal(1),
  provenance: z.literal("computed"),
  method: z.enum(["channels", "unstructured"]),
  /** Absent where a dimension of the model is unknown. */
  macs: figures.optional(),
  /** Of the multiply-accumulates before; with unknown dimensions counted as 1. */
  macsShare: z.number(),
  parameters: figures,
  sizeBytes: figures,
  /** Both files through deflate; for unstructured pruning, which gains there alone. */
  deflatedBytes: figures.optional(),
  importance: z.enum(["energy", "l1", "l2"]).optional(),
  /** Channels that leave together, by the layer that writes them. */
  groups: z.array(
    z.object({ name: z.string(), kept: z.number(), channels: z.number(), reason: z.string().optional() }),
  ),
  /** Layers whose output channels stay, all or some. */
  pinned: z.array(z.object({ node: z.string(), channels: z.number(), pinned: z.number(), reason: z.string() })),
  /** Zeros by layer; of unstructured pruning. */
  sparse: z.array(z.object({ node: z.string(), weights: z.number(), zeros: z.number() })).optional(),
  repair: z.object({
    status: z.enum(["done", "skipped"]),
    /** Why it was skipped. */
    reason: z.string().optional(),
    items: z.number(),
    /** Squared error left at each refitted layer, as a share of the error before. */
    layers: z.array(z.object({ node: z.string(), errorLeft: z.number() })),
  }),
  /** Measured against the input model on items that nothing was fitted to; absent without tensors. */
  heldBack: z
    .object({
      items: z.number(),
      outputs: z.record(z.string(), z.object({ sqnrDb: z.number().optional(), maxAbs: z.number() })),
    })
    .optional(),
  /** What to know of these figures. */
  notes: z.array(z.string()),
});
export type PruneReport = z.infer<typeof pruneReport>;
