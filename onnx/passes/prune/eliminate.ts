/**
 * In which order the units of a group leave: always those next that the layers reading the group lose least without,
 * each loss a share of the energy of the layer's output. With a refit to come, the loss is what the rest cannot make
 * good for, so of channels that say the same one is cheap and the last is dear.
 */
import type { Value } from "../../ir/graph.ts";
import { copyReader, type LinearReader, removalLoss, removeChannels } from "../../kernels/elimination.ts";
import type { PruneGroup, Unit } from "./groups.ts";
import { type RankedGroup, stepOf } from "./plan.ts";
import type { ChannelReader } from "./readers.ts";

/** A reader with some of its channels gone. */
export interface ReducedReader {
  readonly reader: ChannelReader;
  readonly linear: LinearReader;
}

export interface EliminateOptions {
  readonly readers: ReadonlyMap<Value, ChannelReader>;
  /** Units that leave at once, a multiple of the group's step, are chosen together. */
  readonly multiple: number;
  /** Told after each step how many units are gone. */
  readonly onStep?: (order: readonly Unit[], reduced: readonly ReducedReader[]) => Promise<void>;
}

interface Candidate {
  readonly unit: Unit;
  readonly channels: readonly (readonly number[])[];
}

export async function eliminate(group: PruneGroup, options: EliminateOptions): Promise<RankedGroup> {
  const { readers, multiple, onStep } = options;
  const reduced = readersOf(group, readers);
  let left: Candidate[] = group.units.map((unit) => ({ unit, channels: reduced.map((r) => channelsOf(unit, r)) }));
  const step = stepOf(group, multiple);
  const order: Unit[] = [];
  const loss = new Float64Array(group.units.length + 1);
  while (left.length > 0) {
    const priced = left.map((candidate) => ({ candidate, price: priceOf(candidate, reduced) }));
    const next = priced
      .sort((a, b) => a.price - b.price)
      .slice(0, step)
      .map(({ candidate }) => candidate);
    for (const candidate of next) {
      loss[order.length + 1] = (loss[order.length] ?? 0) + Math.max(0, priceOf(candidate, reduced));
      for (const [i, { linear }] of reduced.entries()) removeChannels(linear, candidate.channels[i] ?? []);
      order.push(candidate.unit);
    }
    left = left.filter((candidate) => !next.includes(candidate));
    await onStep?.(order, reduced);
  }
  return { group, order, loss };
}

function readersOf(group: PruneGroup, readers: EliminateOptions["readers"]): readonly ReducedReader[] {
  const found = new Set<ChannelReader>();
  for (const { axis } of group.units[0] ?? []) {
    const reader = readers.get(axis.value);
    if (reader && axis.axis === reader.layer.inAxis) found.add(reader);
  }
  return [...found].map((reader) => ({ reader, linear: copyReader(reader.linear) }));
}

function channelsOf(unit: Unit, { reader: { layer } }: ReducedReader): readonly number[] {
  return unit
    .filter(({ axis }) => axis.value === layer.weight && axis.axis === layer.inAxis)
    .flatMap(({ indices }) => indices);
}

function priceOf({ channels }: Candidate, reduced: readonly ReducedReader[]): number {
  let price = 0;
  for (const [i, { linear }] of reduced.entries())
    if (linear.energy > 0) price += removalLoss(linear, channels[i] ?? []) / linear.energy;
  return price;
}
