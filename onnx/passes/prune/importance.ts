/**
 * What a model loses with a unit by the size of its weights alone: the norm of those that leave (l1 or l2), each tensor's
 * norms divided by their mean so that they add up; summed over all weights of the unit (Li et al. 2017, "Pruning Filters
 * for Efficient ConvNets"; group norms as in Fang et al. 2023, "DepGraph").
 */
import type { Value } from "../../ir/graph.ts";
import { axisNorms } from "../../kernels/axisNorms.ts";
import { isWeight, type PruneGroup } from "./groups.ts";
import { type RankedGroup, rankByScore } from "./plan.ts";

/** Norm of each slice of the weights along each axis, read once a tensor. */
class SliceNorms {
  readonly #cache = new Map<Value, Map<number, Float64Array>>();
  constructor(readonly power: 1 | 2) {}

  /** Sum of |w|^power of each index along the axis. */
  async along(value: Value, axis: number): Promise<Float64Array> {
    const axes = this.#cache.get(value) ?? new Map<number, Float64Array>();
    this.#cache.set(value, axes);
    const known = axes.get(axis);
    if (known) return known;
    const tensor = value.initializer;
    const norms = tensor ? axisNorms(await tensor.floats(), tensor.dims, axis, this.power) : new Float64Array(0);
    axes.set(axis, norms);
    return norms;
  }
}

export async function magnitudeScores(groups: readonly PruneGroup[], norm: "l1" | "l2"): Promise<RankedGroup[]> {
  const sums = new SliceNorms(norm === "l1" ? 1 : 2);
  const ranked: RankedGroup[] = [];
  for (const group of groups) {
    const scores = new Float64Array(group.units.length);
    for (const part of group.units[0] ?? []) {
      if (!isWeight(part.axis.value)) continue;
      const slices = await sums.along(part.axis.value, part.axis.axis);
      const place = (group.units[0] ?? []).indexOf(part);
      const own = group.units.map((unit) => {
        const total = (unit[place]?.indices ?? []).reduce((sum, i) => sum + (slices[i] ?? 0), 0);
        return norm === "l1" ? total : Math.sqrt(total);
      });
      const mean = own.reduce((a, b) => a + b, 0) / own.length;
      for (const [i, value] of own.entries()) scores[i] = (scores[i] ?? 0) + (mean > 0 ? value / mean : 0);
    }
    ranked.push(rankByScore(group, scores));
  }
  return ranked;
}
