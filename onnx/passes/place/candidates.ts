/**
 * Placements worth measuring: for a range of prices on noise, the fastest by prediction. Without a price every layer that
 * gains time computes in integers; the higher the price, the more only those that gain much and disturb little.
 */
import type { Model } from "../../ir/graph.ts";
import type { CalibrationTable } from "../calibrate/table.ts";
import type { LayoutName } from "../quantize/layout.ts";
import type { OutputReference } from "../quantize/outputReference.ts";
import type { Form, Placement } from "../quantize/placement.ts";
import { type QuantizeOptions, type QuantizeResult, quantize } from "../quantize/quantize.ts";
import { chooseIntegers, type NoiseOf, type PlacementCosts } from "./chooseIntegers.ts";
import type { Unit, Units } from "./units.ts";

/** Everything that a try is made from. */
export interface Material {
  /** A fresh copy of the float model. */
  readonly open: () => Promise<Model>;
  readonly units: Units;
  readonly table: CalibrationTable;
  readonly layout: LayoutName;
  /** What layers read once their inputs are rounded, and whether weights are rounded by it; see `QuantizeOptions`. */
  readonly seen?: QuantizeOptions["seen"];
  readonly byHessian?: QuantizeOptions["byHessian"];
}

/** No floor: the placement says of every layer what it is. */
export const QUANTIZE = { format: "int8", keepFloat: [], minSqnrDb: 0, io: "float32", blockSize: 32 } as const;

export interface Built {
  readonly model: Model;
  readonly result: QuantizeResult;
  readonly placement: Placement;
}

/** `integers` compute in integers; every other layer takes `rest`. */
export function placementOf(units: Units, integers: ReadonlySet<Unit>, rest: Form): Placement {
  const placement = new Map<string, Form>();
  for (const unit of units.all) {
    if (unit.kind === "other") continue;
    placement.set(unit.name, integers.has(unit) ? "int8" : unit.kind === "layer" ? rest : "float");
  }
  return placement;
}

export async function build(material: Material, placement: Placement): Promise<Built> {
  const { table, layout, seen, byHessian } = material;
  const model = await material.open();
  const result = await quantize(model, { ...QUANTIZE, layout, table, placement, seen, byHessian });
  return { model, result, placement };
}

/** Frames that one layer's noise is measured on. */
const FRAMES = 4;

/** What each layer alone in integers adds to the worst output: noise over signal. */
export async function measureNoise(
  material: Material,
  layers: readonly Unit[],
  reference: OutputReference,
  progress: (done: number) => void,
): Promise<ReadonlyMap<Unit, number>> {
  const noise = new Map<Unit, number>();
  for (const [i, unit] of layers.entries()) {
    progress(i);
    const { model } = await build(material, placementOf(material.units, new Set([unit]), "float"));
    noise.set(unit, 10 ** (-(await reference.measure(model, { most: FRAMES })).worstDb / 10));
  }
  return noise;
}

/** Prices, in units of the time that integers save at most over the noise that they then make. */
const PRICES = [0, 0.1, 0.3, 1, 3, 10, 30];

/** Sets of units for integers, each once, from the fastest by prediction on; none is empty. */
export function sweep(
  units: Units,
  costs: PlacementCosts,
  noise: ReadonlyMap<Unit, number>,
): readonly ReadonlySet<Unit>[] {
  const noiseOf: NoiseOf = (unit) => noise.get(unit) ?? 0;
  const all = [...noise.keys()];
  const total = all.reduce((sum, unit) => sum + noiseOf(unit), 0);
  const saved = all.reduce((sum, unit) => sum + gainOf(costs, unit), 0);
  const sets = new Map<string, ReadonlySet<Unit>>();
  for (const price of PRICES) {
    const msPerNoise = total === 0 ? 0 : (price * saved) / total;
    const set = chooseIntegers(units, costs, { msPerNoise, noiseOf });
    const layers = [...set].filter(({ kind }) => kind === "layer");
    if (layers.length > 0) sets.set(layers.map(({ name }) => name).join("\n"), set);
  }
  return [...sets.values()];
}

function gainOf({ units }: PlacementCosts, unit: Unit): number {
  const cost = units.get(unit);
  return cost ? Math.max(0, cost.floatMs - cost.integerMs) : 0;
}
