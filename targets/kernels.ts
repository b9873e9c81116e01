/**
 * Groups the nodes of a model as a runtime executes them: a *kernel* is a node and what is fused into it. Between the
 * nodes of one kernel nothing goes through memory.
 */
import type { ModelCost, NodeCost, Precision, Traffic } from "../onnx/cost.ts";
import type { Node, Value } from "../onnx/ir/graph.ts";
import { opDef } from "../onnx/ops/index.ts";

/** "pointwise": every pointwise operator joins what computes its input. "activation": one with a single input does. */
export type Fusion = "pointwise" | "activation";

export interface Kernel {
  readonly nodes: readonly Node[];
  readonly precision: Precision;
  readonly macs: number;
  readonly ops: number;
  /** Constants and activations read and written. */
  readonly bytes: number;
  /** False where a size or the operator is unknown: the figures are lower bounds. */
  readonly known: boolean;
}

export function kernelsOf(cost: ModelCost, fusion: Fusion): readonly Kernel[] {
  const groups: NodeCost[][] = [];
  /** The group that writes a value. */
  const writers = new Map<Value, number>();
  const readers = new Map<Value, number>();
  for (const { reads } of cost.perNode)
    for (const { value } of reads) readers.set(value, (readers.get(value) ?? 0) + 1);
  for (const node of cost.perNode) {
    if (costsNothing(node, fusion)) continue;
    const joined = groupToJoin(node, fusion, { writers, readers });
    const at = joined ?? groups.length;
    if (joined === undefined) groups.push([]);
    groups[at]?.push(node);
    for (const { value } of node.writes) writers.set(value, at);
  }
  return groups.map((group) => kernelFrom(group, readers));
}

/** Views and fused quantization move nothing; a compiler lays the parts of a Concat or Split in one buffer. */
function costsNothing(cost: NodeCost, fusion: Fusion): boolean {
  const memory = opDef(cost.node.domain, cost.node.opType)?.memory;
  if (memory === "none" || (memory === "parts" && fusion === "pointwise")) return true;
  return cost.reads.length === 0 && cost.writes.length === 0 && cost.macs === 0;
}

interface Flow {
  readonly writers: ReadonlyMap<Value, number>;
  readonly readers: ReadonlyMap<Value, number>;
}

function groupToJoin(cost: NodeCost, fusion: Fusion, { writers, readers }: Flow): number | undefined {
  if (!opDef(cost.node.domain, cost.node.opType)?.pointwise) return undefined;
  // The last of the kernels that write its inputs: by then the others have run.
  const candidates = cost.reads.flatMap(({ value }) => writers.get(value) ?? []);
  if (fusion === "activation") {
    const [only, ...others] = cost.reads;
    if (!only || others.length > 0 || readers.get(only.value) !== 1) return undefined;
  }
  return candidates.length > 0 ? Math.max(...candidates) : undefined;
}

function kernelFrom(group: readonly NodeCost[], readers: ReadonlyMap<Value, number>): Kernel {
  const inner = new Map<Value, number>();
  const written = new Map<Value, Traffic>();
  for (const { writes } of group) for (const traffic of writes) written.set(traffic.value, traffic);
  const read = new Map<Value, Traffic>();
  for (const { reads } of group) {
    for (const traffic of reads) {
      if (written.has(traffic.value)) inner.set(traffic.value, (inner.get(traffic.value) ?? 0) + 1);
      else read.set(traffic.value, traffic);
    }
  }
  const leaves = [...written.values()].filter(
    ({ value }) => value.isGraphOutput || (inner.get(value) ?? 0) < (readers.get(value) ?? 0) || !inner.has(value),
  );
  const moved = [...read.values(), ...leaves];
  const main = group.find((cost) => (cost.macs ?? 0) > 0) ?? group[0];
  return {
    nodes: group.map((cost) => cost.node),
    precision: main?.precision ?? "f32",
    macs: sum(group.map((cost) => cost.macs ?? 0)),
    ops: sum(group.map((cost) => cost.ops ?? 0)),
    bytes: sum(moved.map(({ bytes }) => bytes ?? 0)) + sum(group.map(constantBytes)),
    known: group.every((cost) => cost.macs !== undefined) && moved.every(({ bytes }) => bytes !== undefined),
  };
}

/** A lookup in a table reads the rows it gives, not the table. */
function constantBytes(cost: NodeCost): number {
  const selects = opDef(cost.node.domain, cost.node.opType)?.memory === "selects";
  return selects ? Math.min(cost.weightBytes, cost.outputBytes ?? cost.weightBytes) : cost.weightBytes;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
