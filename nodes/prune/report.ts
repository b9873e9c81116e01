/** The report of prune: what left, what stayed and why, what it saves, and what it costs in accuracy. */
import { z } from "zod";

const figures = z.object({ before: z.number(), after: z.number() });

export const pruneReport = z.object({
  kind: z.literal("prune"),
  version: z.literal(1),
  provenance: z.literal("computed"),
  method: z.enum(["channels", "blocks", "low-rank", "2:4", "unstructured"]),
  /** Absent where a dimension of the model is unknown. */
  macs: figures.optional(),
  /** Of the multiply-accumulates before; with unknown dimensions counted as 1. */
  macsShare: z.number(),
  parameters: figures,
  sizeBytes: figures,
  /** Both files through deflate; for zeros, which gain there. */
  deflatedBytes: figures.optional(),
  /** Milliseconds of one inference; absent where a dimension is unknown, or no figures cover the target. */
  latency: z
    .object({
      target: z.string(),
      predictedMs: figures.optional(),
      /** The fastest of many runs on this machine, one thread. */
      measuredMs: figures.optional(),
    })
    .optional(),
  importance: z.enum(["energy", "l1", "l2"]).optional(),
  /** Channels left are a multiple of this where they can be. */
  multiple: z.number().optional(),
  /** Channels that leave together, by the layer that writes them. */
  groups: z.array(
    z.object({ name: z.string(), kept: z.number(), channels: z.number(), reason: z.string().optional() }),
  ),
  /** Layers whose output channels stay, all or some. */
  pinned: z.array(z.object({ node: z.string(), channels: z.number(), pinned: z.number(), reason: z.string() })),
  /** Zeros by layer; of the methods that set weights to zero. */
  sparse: z.array(z.object({ node: z.string(), weights: z.number(), zeros: z.number() })).optional(),
  /** Residual branches, by the Add that ends them; `loss` is of the outputs, a share of how much they vary. */
  blocks: z
    .array(z.object({ node: z.string(), macsShare: z.number(), removed: z.boolean(), loss: z.number() }))
    .optional(),
  /** Layers that could become two; without `rank` they stayed whole. */
  ranks: z.array(z.object({ node: z.string(), rank: z.number().optional(), fullRank: z.number() })).optional(),
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

/** What a method finds; the rest is the same for all. */
export type Findings = Pick<PruneReport, "macsShare" | "groups" | "pinned" | "repair" | "notes"> &
  Partial<Pick<PruneReport, "importance" | "multiple" | "sparse" | "blocks" | "ranks" | "deflatedBytes">>;
