/**
 * What a model loses with a unit.
 *
 *   l1, l2   norm of the weights that leave, each tensor's norms divided by their mean so that they add up; summed
 *            over all weights of the unit (Li et al. 2017, "Pruning Filters for Efficient ConvNets"; group norms as in
 *            Fang et al. 2023, "DepGraph")
 *   energy   share of the output energy of the layers that read the channel: E[x_c^2] |W_c|^2 over its sum, with x
 *            measured on calibration items; with repair the variance of x, since a refitted bias takes in the mean
 */
import type { Evaluator } from "../../evaluator.ts";
import type { Graph, Model, Value } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { axisNorms } from "../../kernels/axisNorms.ts";
import { addMoments, type ChannelMoments } from "../../kernels/channelMoments.ts";
import { isWeight, type PruneGroup } from "./groups.ts";
import { type Layer, layersOf } from "./layers.ts";
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

export interface EnergyOptions {
  readonly evaluator: Evaluator;
  readonly items: readonly HostTensors[];
  readonly signal?: AbortSignal;
  /** A refitted bias will take in what the channels are on average. */
  readonly centred: boolean;
}

export async function energyScores(
  model: Model,
  groups: readonly PruneGroup[],
  options: EnergyOptions,
): Promise<EnergyScores> {
  const layers = layersOf(model.graph).filter((layer) => layer.inAxis !== undefined);
  const { power, means } = await channelPower(model, layers, options);
  const sums = new SliceNorms(2);
  const shares = new Map<Value, { axis: number; share: Float64Array }>();
  for (const layer of layers) {
    const moments = power.get(layer.x);
    if (!moments || layer.inAxis === undefined || shares.has(layer.weight)) continue;
    const weights = await sums.along(layer.weight, layer.inAxis);
    // A grouped layer's weight has one slice for several channels of x: their power is the slice's.
    const energy = Float64Array.from(weights, (w, i) => {
      let x = 0;
      for (let c = i; c < moments.length; c += weights.length) x += moments[c] ?? 0;
      return w * x;
    });
    const total = energy.reduce((a, b) => a + b, 0);
    shares.set(layer.weight, { axis: layer.inAxis, share: energy.map((e) => (total > 0 ? e / total : 0)) });
  }
  const ranked = groups.map((group) =>
    rankByScore(
      group,
      Float64Array.from(group.units, (unit) =>
        unit.reduce((sum, { axis, indices }) => {
          const known = shares.get(axis.value);
          if (!known || known.axis !== axis.axis) return sum;
          return sum + indices.reduce((s, i) => s + (known.share[i] ?? 0), 0);
        }, 0),
      ),
    ),
  );
  return { ranked, means };
}

export interface EnergyScores {
  readonly ranked: readonly RankedGroup[];
  /** Mean of each channel that layers read, by the value's name. */
  readonly means: ReadonlyMap<string, Float64Array>;
}

/** Second moment (or variance) of each channel that the layers read, over all items. */
async function channelPower(
  model: Model,
  layers: readonly Layer[],
  options: EnergyOptions,
): Promise<{ power: ReadonlyMap<Value, Float64Array>; means: EnergyScores["means"] }> {
  const reads = new Map(layers.map((layer) => [layer.x, layer.xAxis]));
  const moments = new Map<Value, ChannelMoments & { count: number }>();
  await using session = await options.evaluator.open(model, { alsoReturn: readNames(model.graph, reads.keys()) });
  for (const item of options.items) {
    options.signal?.throwIfAborted();
    const values = await session.run(item);
    for (const [value, axis] of reads) {
      const tensor = values[value.name] ?? item[value.name];
      if (!(tensor?.data instanceof Float32Array)) continue;
      const channels = tensor.dims[axis] ?? 1;
      const inner = tensor.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
      const into = moments.get(value) ?? {
        sum: new Float64Array(channels),
        sumOfSquares: new Float64Array(channels),
        count: 0,
      };
      addMoments(tensor.data, channels, inner, into);
      into.count += tensor.data.length / channels;
      moments.set(value, into);
    }
  }
  const means = new Map([...moments].map(([value, { sum, count }]) => [value.name, sum.map((s) => s / count)]));
  const power = [...moments].map(([value, { sumOfSquares, count }]): [Value, Float64Array] => {
    const mean = means.get(value.name);
    const squared = (c: number) => (options.centred ? (mean?.[c] ?? 0) ** 2 : 0);
    return [value, sumOfSquares.map((squares, c) => squares / count - squared(c))];
  });
  return { power: new Map(power), means };
}

function readNames(graph: Graph, values: Iterable<Value>): string[] {
  return [...values].filter((value) => !graph.inputs.includes(value)).map((value) => value.name);
}
