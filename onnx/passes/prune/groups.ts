/**
 * Which channels of a graph can leave, and which must leave together.
 *
 * Terminology: a *channel* is an index along an axis of a value; a *unit* is a class of channels that stand or fall
 * together (an output channel of a Conv, its bias, its BatchNorm, the same channel of everything behind it, the columns
 * of the next weights); a *group* is all units that touch the same axes in the same way, so that any of them may leave
 * (the 64 channels between two layers). Coupling comes from each operator's `PruneRule`; union-find solves it.
 */
import type { Graph, Model, Node, Shape, Value } from "../../ir/graph.ts";
import { opDef } from "../../ops/index.ts";
import type { AxisRef, Coupler, PruneRule } from "../../ops/pruneRule.ts";
import { nodeLabel } from "../../verify.ts";

/** One axis of one value with the indices that a unit takes from it. */
export interface UnitPart {
  readonly axis: AxisRef;
  readonly indices: readonly number[];
}
export type Unit = readonly UnitPart[];

export interface PruneGroup {
  /** Name of the first node that writes these channels. */
  readonly name: string;
  readonly units: readonly Unit[];
  /** Channels that one unit takes from the first activation. */
  readonly width: number;
}

/** An output axis of a layer that keeps channels, and why. */
export interface PinnedAxis {
  readonly node: string;
  readonly channels: number;
  readonly pinned: number;
  readonly reason: string;
}

export interface Dependencies {
  readonly groups: readonly PruneGroup[];
  readonly pinned: readonly PinnedAxis[];
}

/** Channels of all axes, numbered in one row. */
class Channels implements Coupler {
  readonly #offsets = new Map<Value, readonly (number | undefined)[]>();
  readonly axes: { readonly ref: AxisRef; readonly offset: number; readonly size: number }[] = [];
  readonly #parent: number[] = [];
  /** By root: 0 where free, else 1 + the place in `reasons`. */
  readonly #pin: number[] = [];
  readonly #reasons: string[] = [];

  constructor(
    readonly opset: number,
    values: Iterable<Value>,
  ) {
    for (const value of values) {
      const offsets = value.shape?.map((dim, axis) => {
        if (typeof dim !== "number") return undefined;
        const offset = this.#parent.length;
        this.axes.push({ ref: { value, axis }, offset, size: dim });
        for (let i = 0; i < dim; i++) {
          this.#parent.push(offset + i);
          this.#pin.push(0);
        }
        return offset;
      });
      if (offsets) this.#offsets.set(value, offsets);
    }
  }

  shape(value: Value): Shape | undefined {
    return this.#offsets.has(value) ? value.shape : undefined;
  }

  offset({ value, axis }: AxisRef): number | undefined {
    return this.#offsets.get(value)?.[axis];
  }

  #size({ value, axis }: AxisRef): number {
    const dim = value.shape?.[axis];
    return typeof dim === "number" ? dim : 0;
  }

  root(channel: number): number {
    let root = channel;
    for (let up = this.#parent[root] ?? root; up !== root; up = this.#parent[root] ?? root) root = up;
    for (let at = channel; at !== root; ) {
      const next = this.#parent[at] ?? root;
      this.#parent[at] = root;
      at = next;
    }
    return root;
  }

  reason(channel: number): string | undefined {
    return this.#reasons[(this.#pin[this.root(channel)] ?? 0) - 1];
  }

  join(a: AxisRef, b: AxisRef, map?: (index: number) => number): void {
    const [from, to] = [this.offset(a), this.offset(b)];
    if (from === undefined && to === undefined) return;
    const [n, m] = [this.#size(a), this.#size(b)];
    if (from === undefined || to === undefined || (!map && n !== m)) {
      const why = from === undefined || to === undefined ? "meets a dimension of unknown size" : "meets another size";
      this.pin(a, why);
      this.pin(b, why);
      return;
    }
    for (let i = 0; i < n; i++) {
      const j = map ? map(i) : i;
      if (Number.isInteger(j) && j >= 0 && j < m) this.#union(from + i, to + j);
      else this.#mark(from + i, "meets another size");
    }
  }

  #union(a: number, b: number): void {
    const [x, y] = [this.root(a), this.root(b)];
    if (x === y) return;
    this.#parent[y] = x;
    this.#pin[x] = this.#pin[x] || this.#pin[y] || 0;
  }

  #mark(channel: number, why: string): void {
    const root = this.root(channel);
    if (this.#pin[root]) return;
    const at = this.#reasons.indexOf(why);
    this.#pin[root] = 1 + (at < 0 ? this.#reasons.push(why) - 1 : at);
  }

  pin(axis: AxisRef, why: string): void {
    const offset = this.offset(axis);
    if (offset === undefined) return;
    for (let i = 0; i < this.#size(axis); i++) this.#mark(offset + i, why);
  }

  pinAll(value: Value | null | undefined, why: string): void {
    for (const axis of value?.shape?.keys() ?? []) if (value) this.pin({ value, axis }, why);
  }

  whyPinned(axis: AxisRef): string | undefined {
    const offset = this.offset(axis);
    if (offset === undefined) return "is of unknown size";
    let why: string | undefined;
    for (let i = 0; i < this.#size(axis); i++) {
      const reason = this.reason(offset + i);
      if (reason === undefined) return undefined;
      why ??= reason;
    }
    return why;
  }
}

/** Types must be inferred (`inferShapes`), and constants be initializers. */
export function solveDependencies(model: Model): Dependencies {
  const { graph } = model;
  const channels = new Channels(model.opset, graph.values.values());
  pinBorders(graph, channels);
  const open: ((force: boolean) => boolean)[] = [];
  for (const node of graph.nodes) {
    const rule = ruleOf(node);
    if (typeof rule === "string") {
      for (const value of [...node.inputs, ...node.outputs]) channels.pinAll(value, rule);
      continue;
    }
    rule.couple(node, channels);
    if (rule.settle) open.push((force) => rule.settle?.(node, channels, force) ?? true);
  }
  for (const { ref, size } of channels.axes) if (size === 1) channels.pin(ref, "is the only one of its axis");
  settleAll(open);
  const { groups, alone } = groupUnits(graph, channels);
  return { groups, pinned: pinnedOutputs(graph, channels, alone) };
}

/** What has one answer first, since it leaves fewer to others; where nothing has, the first in the graph is forced. */
function settleAll(open: readonly ((force: boolean) => boolean)[]): void {
  let left = open;
  while (left.length > 0) {
    const rest = left.filter((settle) => !settle(false));
    if (rest.length === left.length) rest.shift()?.(true);
    left = rest;
  }
}

function ruleOf(node: Node): PruneRule | string {
  if (node.subgraphs.length > 0) return `meets ${nodeLabel(node)}, which has a body`;
  return opDef(node.domain, node.opType)?.prune ?? `meets ${node.opType}, which cannot be cut through`;
}

/** What callers and bodies see keeps its shape. */
function pinBorders(graph: Graph, channels: Channels): void {
  for (const value of graph.inputs) channels.pinAll(value, `is the graph's input "${value.name}"`);
  for (const value of graph.outputs) channels.pinAll(value, `is the graph's output "${value.name}"`);
  for (const value of graph.values.values()) {
    if (value.uses.some((use) => use.node.graph !== graph)) channels.pinAll(value, "is read by a body");
    if (value.sparse) channels.pinAll(value, "is sparse");
  }
}

/** A weight: a constant matrix or more that a layer multiplies by. */
export function isWeight(value: Value): boolean {
  if (!value.initializer || value.initializer.dims.length < 2) return false;
  return value.uses.some(({ node, index }) => index <= 1 && LAYERS.includes(node.opType));
}
const LAYERS: readonly string[] = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

interface Units {
  readonly groups: readonly PruneGroup[];
  /** Roots of units that have no like: to take them out would leave an axis empty. */
  readonly alone: ReadonlySet<number>;
}

function groupUnits(graph: Graph, channels: Channels): Units {
  const parts = new Map<number, UnitPart[]>();
  for (const { ref, offset, size } of channels.axes) {
    const here = new Map<number, number[]>();
    for (let i = 0; i < size; i++) {
      const root = channels.root(offset + i);
      if (channels.reason(root) !== undefined) continue;
      const indices = here.get(root);
      if (indices) indices.push(i);
      else here.set(root, [i]);
    }
    for (const [root, indices] of here) {
      const unit = parts.get(root);
      const part = { axis: ref, indices };
      if (unit) unit.push(part);
      else parts.set(root, [part]);
    }
  }
  const groups = new Map<string, { readonly root: number; readonly unit: Unit }[]>();
  const ids = new Map([...graph.values.values()].map((value, i) => [value, i]));
  for (const [root, unit] of parts) {
    if (!unit.some((part) => isWeight(part.axis.value))) continue;
    const key = unit.map(({ axis, indices }) => `${ids.get(axis.value)}.${axis.axis}x${indices.length}`).join();
    const units = groups.get(key);
    if (units) units.push({ root, unit });
    else groups.set(key, [{ root, unit }]);
  }
  const order = new Map(graph.nodes.map((node, i) => [node, i]));
  const all = [...groups.values()];
  const several = all.filter((units) => units.length > 1).map((units) => units.map(({ unit }) => unit));
  return {
    groups: several.map((units) => describeGroup(units, order)),
    alone: new Set(all.filter((units) => units.length === 1).flatMap((units) => units.map(({ root }) => root))),
  };
}

function describeGroup(units: readonly Unit[], order: ReadonlyMap<Node, number>): PruneGroup {
  const written = (units[0] ?? []).filter((part) => part.axis.value.producer);
  const place = (part: UnitPart) => order.get(part.axis.value.producer ?? never(part)) ?? 0;
  const first = written.toSorted((a, b) => place(a) - place(b))[0];
  const producer = first?.axis.value.producer;
  return {
    name: producer?.name || first?.axis.value.name || (units[0]?.[0]?.axis.value.name ?? ""),
    units,
    width: first?.indices.length ?? 1,
  };
}

function never(part: UnitPart): Node {
  throw new Error(`${part.axis.value.name} has no producer`);
}

/** Layers whose output channels stay, all or some, with the reason that holds for most of them. */
function pinnedOutputs(graph: Graph, channels: Channels, alone: ReadonlySet<number>): readonly PinnedAxis[] {
  const list: PinnedAxis[] = [];
  for (const node of graph.nodes) {
    const axis = outputAxis(node, channels);
    const offset = axis && channels.offset(axis);
    const size = Number(axis?.value.shape?.[axis.axis]);
    if (offset === undefined) continue;
    const reasons = new Map<string, number>();
    for (let i = 0; i < size; i++) {
      const reason = channels.reason(offset + i) ?? (alone.has(channels.root(offset + i)) ? TOGETHER : undefined);
      if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    const [most] = [...reasons].toSorted(([, a], [, b]) => b - a);
    const pinned = [...reasons.values()].reduce((a, b) => a + b, 0);
    if (most) list.push({ node: node.name || node.output().name, channels: size, pinned, reason: most[0] });
  }
  return list;
}

const TOGETHER = "stand or fall together: none can leave unless all do";

/** Where a layer writes its channels: an axis of its output, or of its weight where the output's shape is not known. */
function outputAxis(node: Node, channels: Channels): AxisRef | undefined {
  const weight = node.inputs.find((value) => value && isWeight(value));
  if (!LAYERS.includes(node.opType) || !weight) return undefined;
  const value = node.output();
  const isConv = node.opType.startsWith("Conv");
  const written = { value, axis: isConv ? 1 : (value.shape?.length ?? 0) - 1 };
  if (channels.offset(written) !== undefined) return written;
  const last = (weight.shape?.length ?? 0) - 1;
  const own = { Conv: 0, ConvTranspose: 1, Gemm: node.int("transB") === 1 ? 0 : 1 }[node.opType] ?? last;
  return { value: weight, axis: own };
}
