/**
 * Which tensors become integers, and which of them share a scale.
 *
 * A layer reads integers. Where the layout quantizes outputs, a layer also gives integers, and the operators between two
 * layers that only move elements carry them on, all under one scale. Concat alone may join tensors of unlike range: it
 * shares a scale where that costs no precision, and requantizes its inputs where it would.
 */
import type { Graph, Node, Value } from "../../ir/graph.ts";
import type { ClipRange } from "../calibrate/table.ts";
import { unionOf } from "./activationRange.ts";
import { carriedInputs, wantedInIntegers } from "./carried.ts";
import { type Layer, nodeName } from "./layers.ts";
import type { Layout } from "./layout.ts";
import type { Placement } from "./placement.ts";

export interface QuantizationPlan {
  readonly layers: readonly Layer[];
  /** Every tensor that gets a quantizer. */
  readonly tensors: ReadonlyMap<Value, PlannedTensor>;
  /** Operators that carry integers. */
  readonly carriers: ReadonlySet<Node>;
}

export interface PlannedTensor {
  readonly range: ClipRange;
  /** All readers take the integers (the tensor is born in them), or only layers and carriers. */
  readonly born: boolean;
}

/** How much wider a shared range may be than a tensor's own: a fifth costs 1.6 dB of that tensor's own noise. */
const WIDER = 1.2;

export interface PlanRules {
  readonly layout: Layout;
  readonly placement?: Placement | undefined;
  readonly rangeOf: (value: Value) => ClipRange;
}

export function planQuantization(
  graph: Graph,
  layers: readonly Layer[],
  { layout, placement, rangeOf }: PlanRules,
): QuantizationPlan {
  const tensors = new Map<Value, PlannedTensor>();
  if (!layout.quantizeOutputs) {
    for (const { input } of layers) tensors.set(input, { range: rangeOf(input), born: false });
    return { layers, tensors, carriers: new Set() };
  }
  const born = new Set(layers.map(({ output }) => output));
  const carriers = carryingNodes(graph, layers, { born, placement });
  const groups = new ScaleGroups(rangeOf);
  for (const { input, output } of layers) for (const value of [input, output]) groups.add(value);
  for (const [node, inputs] of carriers) {
    const outputs = node.outputs.flatMap((out) => out ?? []);
    for (const value of outputs) born.add(value);
    if (inputs.length > 1) groups.joinIfAlike([...inputs, ...outputs]);
    else groups.carry(inputs[0], outputs);
  }
  for (const [value, range] of groups.ranges()) tensors.set(value, { range, born: born.has(value) });
  return { layers, tensors, carriers: new Set(carriers.keys()) };
}

/** Carry operators between integers and a layer, in graph order, with the inputs they carry. */
function carryingNodes(
  graph: Graph,
  layers: readonly Layer[],
  { born, placement }: { readonly born: ReadonlySet<Value>; readonly placement: Placement | undefined },
): Map<Node, readonly Value[]> {
  const carries = (node: Node) => placement?.get(nodeName(node)) !== "float";
  const wanted = wantedInIntegers(graph, layers, carries);
  const integers = new Set(born);
  const carriers = new Map<Node, readonly Value[]>();
  for (const node of graph.nodes) {
    const inputs = carriedInputs(node);
    if (
      !carries(node) ||
      !inputs.some((input) => integers.has(input)) ||
      !node.outputs.some((out) => out && wanted.has(out))
    )
      continue;
    carriers.set(node, inputs);
    for (const out of node.outputs) if (out) integers.add(out);
  }
  return carriers;
}

interface Group {
  range: ClipRange;
  readonly members: Value[];
}

/** Tensors in groups of one scale, each with the range that serves all its members. */
class ScaleGroups {
  readonly #groupOf = new Map<Value, Group>();

  constructor(private readonly rangeOf: (value: Value) => ClipRange) {}

  add(value: Value): Group {
    const known = this.#groupOf.get(value);
    if (known) return known;
    const group = { range: this.rangeOf(value), members: [value] };
    this.#groupOf.set(value, group);
    return group;
  }

  /** What only moves elements has the scale of what it moves. */
  carry(from: Value | undefined, outputs: readonly Value[]): void {
    if (!from) return;
    const group = this.add(from);
    for (const out of outputs) {
      const other = this.#groupOf.get(out);
      if (other && other !== group) this.#merge(group, { ...other, range: group.range });
      else if (!other) {
        group.members.push(out);
        this.#groupOf.set(out, group);
      }
    }
  }

  joinIfAlike(values: readonly Value[]): void {
    const groups = [...new Set(values.map((value) => this.add(value)))];
    const shared = unionOf(groups.map((group) => group.range));
    if (groups.some(({ range }) => widthOf(shared) > WIDER * widthOf(range))) return;
    const [first, ...others] = groups;
    for (const other of others) if (first) this.#merge(first, other);
  }

  *ranges(): Iterable<[Value, ClipRange]> {
    for (const [value, group] of this.#groupOf) yield [value, group.range];
  }

  #merge(into: Group, other: Group): void {
    into.range = unionOf([into.range, other.range]);
    into.members.push(...other.members);
    for (const value of other.members) this.#groupOf.set(value, into);
  }
}

function widthOf({ lo, hi }: ClipRange): number {
  return hi - lo;
}
