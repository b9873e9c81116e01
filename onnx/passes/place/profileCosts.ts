/**
 * What each unit costs in floats and in integers, and what the conversions between them cost, all measured on the target:
 * two profiles of the model, with nothing and with everything in integers, and one of a small graph that goes from floats
 * to integers and back.
 *
 * A runtime fuses nodes and gives what it makes names of its own, built from names of nodes or of tensors. So the profiled
 * copies bear names that can be found within those.
 */
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model, type Node } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import type { CalibrationTable } from "../calibrate/table.ts";
import { fuseDequantizedSilu } from "../quantize/fuseSilu.ts";
import { quantizableLayers } from "../quantize/layers.ts";
import type { Layout } from "../quantize/layout.ts";
import { QDQ_OPSET } from "../quantize/quantize.ts";
import { designInt8, writeInt8 } from "../quantize/staticInt8.ts";
import { upgradeOpset } from "../upgradeOpset.ts";
import type { ConversionCosts, PlacementCosts, UnitCost } from "./chooseIntegers.ts";
import type { Unit, Units } from "./units.ts";

export interface OperatorTime {
  readonly node: string;
  readonly opType: string;
  readonly ms: number;
}

/** Time of each operator of one inference, on one thread, in the order they ran. */
export type Profiler = (model: Model) => Promise<readonly OperatorTime[]>;

export interface ProfiledModel {
  /** A fresh copy of the prepared float model; its nodes come in the same order each time. */
  readonly open: () => Promise<Model>;
  readonly units: Units;
  readonly table: CalibrationTable;
  readonly layout: Layout;
}

export async function profileCosts(model: ProfiledModel, profile: Profiler): Promise<PlacementCosts> {
  const conversions = await conversionCosts(model.layout, profile);
  const [floatMs, integerMs] = [await floatTimes(model, profile), await integerTimes(model, profile)];
  const costs = new Map<Unit, UnitCost>();
  for (const [i, unit] of model.units.all.entries()) {
    const [float, integer] = [floatMs.get(i), integerMs.get(i)];
    // What leaves no trace costs nothing: the runtime took it into another node, or it is a view. A layer always runs.
    if (unit.kind === "layer" && (float === undefined || integer === undefined)) continue;
    costs.set(unit, { floatMs: float ?? 0, integerMs: integer ?? 0 });
  }
  return { units: costs, conversions };
}

async function floatTimes({ open, units }: ProfiledModel, profile: Profiler) {
  const model = await open();
  mark(model, units);
  for (const [i, node] of model.graph.nodes.entries()) {
    for (const out of node.outputs) {
      if (out && !out.isGraphOutput) model.graph.rename(out, model.graph.freshName(markOf(units, i)));
    }
  }
  return timesByUnit(await profile(model));
}

async function integerTimes({ open, units, table, layout }: ProfiledModel, profile: Profiler) {
  const model = await open();
  mark(model, units);
  upgradeOpset(model, QDQ_OPSET);
  const { layers } = quantizableLayers(model.graph);
  writeInt8(model.graph, await designInt8(model.graph, layers, { table, layout }), layout);
  if (layout.fusesSilu) fuseDequantizedSilu(model);
  return timesByUnit(await profile(model));
}

/** Names each node after its unit, and after its own place, since names are unique. */
function mark(model: Model, units: Units): void {
  for (const [i, node] of model.graph.nodes.entries()) node.name = markOf(units, i);
}

const markOf = (units: Units, node: number) => `ew${unitIndex(units, node)}u${node}`;
const MARK = /ew(\d+)u/;

/** Index of the unit that the i-th node belongs to: its own, or that of the layer whose clamp it is. */
function unitIndex(units: Units, i: number): number {
  return indexOf(units).get(i) ?? -1;
}

const indices = new WeakMap<Units, ReadonlyMap<number, number>>();
function indexOf(units: Units): ReadonlyMap<number, number> {
  const known = indices.get(units);
  if (known) return known;
  const graph = units.all[0]?.node.graph;
  const byNode = new Map<Node, number>();
  for (const [u, { node, outputs }] of units.all.entries()) {
    byNode.set(node, u);
    for (const out of outputs) if (out.producer) byNode.set(out.producer, u);
  }
  const index = new Map((graph?.nodes ?? []).map((node, i) => [i, byNode.get(node) ?? -1]));
  indices.set(units, index);
  return index;
}

const CONVERTING: readonly string[] = [
  "QuantizeLinear",
  "DequantizeLinear",
  "Transpose",
  "ReorderInput",
  "ReorderOutput",
];

function timesByUnit(times: readonly OperatorTime[]): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  for (const { node, opType, ms } of times) {
    const found = MARK.exec(node)?.[1];
    if (found === undefined || CONVERTING.includes(opType)) continue;
    const unit = Number(found);
    sums.set(unit, (sums.get(unit) ?? 0) + ms);
  }
  return sums;
}

const CHANNELS = 64;
const SIDE = 48;
const ELEMENTS = CHANNELS * SIDE * SIDE;

/** Three convolutions, the middle one in integers; what runs between them is conversion. */
async function conversionCosts(layout: Layout, profile: Profiler): Promise<ConversionCosts> {
  const times = await profile(await sandwich(layout));
  const isConv = ({ opType }: OperatorTime) => /Conv/.test(opType);
  const [first, middle, last] = times.flatMap((time, i) => (isConv(time) ? [i] : []));
  if (first === undefined || middle === undefined || last === undefined) {
    throw new Error(`three convolutions ran as ${times.map(({ opType }) => opType).join(", ")}`);
  }
  const sum = (part: readonly OperatorTime[], of: (opType: string) => boolean) =>
    part.filter(({ opType }) => of(opType)).reduce((total, { ms }) => total + ms, 0) / ELEMENTS;
  const [before, after] = [times.slice(first + 1, middle), times.slice(middle + 1, last)];
  return {
    quantize: sum(before, (op) => op === "QuantizeLinear"),
    toIntegers: sum(before, (op) => op !== "QuantizeLinear"),
    dequantize: sum(after, (op) => op === "DequantizeLinear"),
    toFloats: sum(after, (op) => op !== "DequantizeLinear"),
  };
}

async function sandwich(layout: Layout): Promise<Model> {
  const graph = new Graph("conversions");
  const model = new Model(graph);
  model.irVersion = 8;
  model.opsetImports.set("", QDQ_OPSET);
  const type = { elemType: DataType.FLOAT, shape: [1, CHANNELS, SIDE, SIDE] };
  const weight = Tensor.f32([CHANNELS, CHANNELS, 1, 1], new Float32Array(CHANNELS ** 2).fill(1 / CHANNELS));
  let value = graph.addInput("x", type);
  for (const name of ["first", "middle", "last"]) {
    const inputs = [value, graph.addInitializer(`${name}_w`, weight)];
    value = graph.addNode({ opType: "Conv", name, inputs, outputs: [`${name}_y`] }).output();
    value.type = type;
  }
  graph.addOutput(value);
  const layers = quantizableLayers(graph).layers.filter(({ name }) => name === "middle");
  const seen = {
    ...{ lo: -1, hi: 1, bound: 1, min: -1, max: 1, clipped: 0, settledAfter: 1 },
    histogram: { low: -1, width: 1, counts: [1, 1] },
    channels: { mean: new Array<number>(CHANNELS).fill(0), variance: new Array<number>(CHANNELS).fill(1) },
  };
  const table: CalibrationTable = {
    ...{ kind: "calibration", version: 1, method: "minmax", images: 1 },
    tensors: { first_y: seen, middle_y: seen },
  };
  writeInt8(graph, await designInt8(graph, layers, { table, layout }), layout);
  return model;
}
