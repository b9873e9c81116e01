/** The mask of each method: what a training framework needs to take out the same and train on. */
import type { Model } from "../../onnx/ir/graph.ts";
import type { BlockOutcome } from "../../onnx/passes/prune/blocks.ts";
import { layersOf } from "../../onnx/passes/prune/layers.ts";
import type { LowRankOutcome } from "../../onnx/passes/prune/lowRank.ts";
import type { PruneOutcome } from "../../onnx/passes/prune/prune.ts";
import type { SparseLayer } from "../../onnx/passes/prune/unstructured.ts";
import type { Report } from "../context.ts";

const HEAD = { kind: "prune-mask", version: 1, provenance: "computed" } as const;

/** Which indices of each constant are left, and which leave together. */
export function channelMask({ constants, groups }: PruneOutcome): Report {
  return {
    ...HEAD,
    method: "channels",
    tensors: constants,
    groups: groups.map(({ group, removed }) => ({
      name: group.name,
      units: group.units.map((unit) => ({
        kept: !removed.includes(unit),
        parts: unit.flatMap(({ axis: { value, axis }, indices }) =>
          value.initializer ? [{ tensor: value.name, axis, indices }] : [],
        ),
      })),
    })),
  };
}

/** Which residual branches are left, and the tensors of each. */
export function blockMask({ blocks }: BlockOutcome): Report {
  return {
    ...HEAD,
    method: "blocks",
    blocks: blocks.map(({ node, removed, constants }) => ({ name: node, kept: !removed, tensors: constants })),
  };
}

/** Which tensors became the product of two, and the names of those in the pruned file. */
export function rankMask({ layers }: LowRankOutcome): Report {
  const thin = layers.filter(({ rank }) => rank !== undefined);
  return {
    ...HEAD,
    method: "low-rank",
    tensors: thin.map(({ node, rank, weight, factors }) => ({ name: weight, nodes: [node], rank, factors })),
  };
}

/** Which weights are left: a bit each, row-major, from the lowest bit of the first byte on, in Base64. */
export async function zeroMask(
  model: Model,
  { method, sparse }: { readonly method: string; readonly sparse: readonly SparseLayer[] },
): Promise<Report> {
  const named = new Map(layersOf(model.graph).map((layer) => [layer.node.name || layer.y.name, layer]));
  const tensors: unknown[] = [];
  for (const { node } of sparse) {
    const weight = named.get(node)?.weight;
    if (!weight?.initializer) continue;
    const data = await weight.initializer.floats();
    const bits = new Uint8Array(Math.ceil(data.length / 8));
    for (const [i, value] of data.entries()) if (value !== 0) bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7));
    const keptBits = Buffer.from(bits).toString("base64");
    tensors.push({ name: weight.name, shape: [...weight.initializer.dims], nodes: [node], keptBits });
  }
  return { ...HEAD, method, tensors };
}
