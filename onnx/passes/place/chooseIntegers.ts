/**
 * Which units compute in integers, for the least predicted time plus a price on noise: an exact minimum, by a minimum cut.
 *
 * Every unit is on one of two sides: integers, or floats. Operators that know no integers are on one too, since each side
 * has its own layout in memory. A unit costs what it takes on its side; a tensor costs the
 * conversions between its writer and its readers, each once however many readers there are. All these terms only punish
 * disagreement, which is what a cut can minimise exactly.
 */
import type { Value } from "../../ir/graph.ts";
import { MinCut } from "../../kernels/minCut.ts";
import { elementsOf, isMovedOver, type Unit, type Units } from "./units.ts";

export interface UnitCost {
  readonly floatMs: number;
  readonly integerMs: number;
}

/** Milliseconds an element. */
export interface ConversionCosts {
  readonly quantize: number;
  readonly dequantize: number;
  /** From the memory layout that float layers work in to the integers' one, and back. */
  readonly toIntegers: number;
  readonly toFloats: number;
}

export interface PlacementCosts {
  /** Of layers and carriers; one without costs stays in float. */
  readonly units: ReadonlyMap<Unit, UnitCost>;
  readonly conversions: ConversionCosts;
}

/** What a unit in integers adds to the outputs' noise. */
export type NoiseOf = (unit: Unit) => number;

export function chooseIntegers(
  units: Units,
  { units: costs, conversions }: PlacementCosts,
  price: { readonly msPerNoise: number; readonly noiseOf: NoiseOf },
): ReadonlySet<Unit> {
  const cut = new MinCut();
  const nodeOf = new Map<Unit, number>();
  for (const unit of units.all) {
    const node = cut.addNode();
    nodeOf.set(unit, node);
    const cost = costs.get(unit);
    if (!cost) {
      if (unit.kind === "layer") cut.addArc(node, MinCut.sink, Number.POSITIVE_INFINITY);
      continue;
    }
    cut.addArc(
      node,
      MinCut.sink,
      cost.integerMs + price.msPerNoise * (unit.kind === "layer" ? price.noiseOf(unit) : 0),
    );
    cut.addArc(MinCut.source, node, cost.floatMs);
  }
  const side = (unit: Unit | undefined) => (unit ? (nodeOf.get(unit) ?? MinCut.sink) : MinCut.sink);
  const values = new Set<Value>([...units.writerOf.keys(), ...units.readersOf.keys()]);
  for (const value of values) addConversions(cut, { value, units, side, conversions });
  const onSource = cut.solve();
  const chosen = (unit: Unit) => takesIntegers(unit) && onSource[side(unit)] === true;
  return new Set(units.all.filter(chosen));
}

function takesIntegers({ kind }: Unit): boolean {
  return kind !== "other";
}

interface Crossing {
  readonly value: Value;
  readonly units: Units;
  readonly side: (unit: Unit | undefined) => number;
  readonly conversions: ConversionCosts;
}

function addConversions(cut: MinCut, { value, units, side, conversions }: Crossing): void {
  const elements = elementsOf(value);
  const writer = units.writerOf.get(value);
  const readers = units.readersOf.get(value) ?? [];
  const integerWriter = writer !== undefined && takesIntegers(writer);
  const floatReaders = readers.some((reader) => !takesIntegers(reader)) || value.isGraphOutput;
  const always = Number.POSITIVE_INFINITY;
  const from = side(writer);

  // Integers are needed: as soon as one reader that takes them is on their side.
  const quantized = cut.addNode();
  for (const reader of readers) if (takesIntegers(reader)) cut.addArc(side(reader), quantized, always);
  const quantize = conversions.quantize * elements;
  if (!integerWriter) cut.addArc(quantized, MinCut.sink, quantize);
  cut.addArc(quantized, from, conversions.toIntegers * elements + (integerWriter ? quantize : 0));

  // Floats in the float layers' layout are needed: as soon as one reader is on their side.
  const floats = cut.addNode();
  for (const reader of readers) cut.addArc(floats, side(reader), always);
  if (value.isGraphOutput) cut.addArc(floats, MinCut.sink, always);
  const dequantize = integerWriter ? conversions.dequantize * elements : 0;
  if (floatReaders) cut.addArc(from, MinCut.sink, dequantize);
  cut.addArc(from, floats, conversions.toFloats * elements + (floatReaders ? 0 : dequantize));

  // Another operator on the integers' side reads floats in their layout.
  for (const reader of readers) {
    if (!takesIntegers(reader)) cut.addArc(side(reader), from, conversions.toIntegers * elements);
    if (isMovedOver(reader) && integerWriter && readers.length === 1) cut.addArc(from, side(reader), always);
  }
  if (writer && isMovedOver(writer)) cut.addArc(quantized, from, always);
}
