/**
 * What a model costs, node by node: multiply-accumulates, other arithmetic, parameters, bytes. Reads the types that
 * `inferShapes` wrote. Formulae stand with the operators (`ops/`); a MAC is one multiplication and one addition, so
 * FLOPs are 2 * macs + ops. Absent means unknown.
 */
import { DataType, packedByteLength } from "./ir/dataType.ts";
import type { Graph, Model, Node, Value } from "./ir/graph.ts";
import { foldedNodes, isConstant, isOp, materialized } from "./materialized.ts";
import { numericProduct } from "./ops/dims.ts";
import { opDef } from "./ops/index.ts";
import type { OpCost } from "./ops/op.ts";
import { peakActivationBytes } from "./peakMemory.ts";

export interface CostOptions {
  /** Sizes of symbolic dimensions: `{ batch: 1 }`. */
  readonly dims?: Readonly<Record<string, number>>;
}

/** What an operator computes in. */
export type Precision = "f32" | "f16" | "i8";

/** One value that a node reads or writes, as it lies in memory. */
export interface Traffic {
  readonly value: Value;
  /** Bytes moved; absent where the size is unknown. */
  readonly bytes?: number;
}

export interface NodeCost {
  readonly node: Node;
  readonly precision: Precision;
  readonly macs?: number;
  /** Arithmetic besides the MACs. */
  readonly ops?: number;
  readonly parameters: number;
  /** Bytes of the constants it reads, as stored. */
  readonly weightBytes: number;
  /** Activations read and written, as a runtime holds them (`materialized.ts`). */
  readonly reads: readonly Traffic[];
  readonly writes: readonly Traffic[];
  readonly inputBytes?: number;
  readonly outputBytes?: number;
}

export interface ModelCost {
  /** In the order of the graph, without the nodes that are folded when the model is loaded. */
  readonly perNode: readonly NodeCost[];
  /** Absent where a node's cost is unknown; `knownMacs` then is a lower bound. */
  readonly macs?: number;
  readonly ops?: number;
  readonly knownMacs: number;
  /** Nodes whose cost is unknown: a dimension is, or the operator. */
  readonly unknown: readonly Node[];
  readonly parameters: number;
  readonly weightBytes: number;
  readonly peakActivationBytes?: number;
}

/** Dimensions of a value as numbers, with symbols replaced; undefined where one stays unknown. */
export type DimsOf = (value: Value | null | undefined) => readonly number[] | undefined;

export function modelCost(model: Model, options: CostOptions = {}): ModelCost {
  const bound = new Map(Object.entries(options.dims ?? {}));
  const dimsOf: DimsOf = (value) => {
    const dims = value?.type?.shape?.map((dim) => (typeof dim === "string" ? bound.get(dim) : dim));
    return dims?.every((dim) => typeof dim === "number") ? dims : undefined;
  };
  const perNode = graphCost(model.graph, dimsOf);
  const unknown = perNode.filter((cost) => cost.macs === undefined).map((cost) => cost.node);
  const knownMacs = sum(perNode.map((cost) => cost.macs ?? 0));
  const peak = peakActivationBytes(model.graph, (value) => bytesOf(value, dimsOf));
  return {
    perNode,
    ...(unknown.length === 0 && { macs: knownMacs, ops: sum(perNode.map((cost) => cost.ops ?? 0)) }),
    knownMacs,
    unknown,
    ...constantTotals(model.graph),
    ...(peak !== undefined && { peakActivationBytes: peak }),
  };
}

function graphCost(graph: Graph, dimsOf: DimsOf): readonly NodeCost[] {
  const folded = foldedNodes(graph);
  return graph.nodes.filter((node) => !folded.has(node)).map((node) => nodeCost(node, folded, dimsOf));
}

function nodeCost(node: Node, folded: ReadonlySet<Node>, dimsOf: DimsOf): NodeCost {
  const weights = new Set(node.inputs.flatMap((value) => (value ? constantsOf(value, folded) : [])));
  const arithmetic = node.subgraphs.length > 0 ? controlCost(node, dimsOf) : arithmeticOf(node, dimsOf);
  const { reads, writes } = trafficOf(node, folded, dimsOf);
  const [inputBytes, outputBytes] = [totalBytes(reads), totalBytes(writes)];
  return {
    node,
    precision: precisionOf(node),
    ...arithmetic,
    parameters: sum([...weights].map(parametersOf)),
    weightBytes: sum([...weights].map((value) => value.constant?.byteLength ?? 0)),
    reads,
    writes,
    ...(inputBytes !== undefined && { inputBytes }),
    ...(outputBytes !== undefined && { outputBytes }),
  };
}

function arithmeticOf(node: Node, dimsOf: DimsOf): OpCost | undefined {
  const def = opDef(node.domain, node.opType);
  if (!def) return undefined;
  const fused = isOp(node, "DequantizeLinear") || isFusedQuantize(node);
  if (!def.cost || fused) return { macs: 0, ops: 0 };
  return def.cost({
    node,
    inputDims: (index) => dimsOf(node.inputs[index]),
    outputDims: (index) => dimsOf(node.outputs[index]),
  });
}

/** A QuantizeLinear that the operator before it does in passing. */
export function isFusedQuantize(node: Node): boolean {
  const input = node.inputs[0];
  return Boolean(input && isOp(node, "QuantizeLinear") && materialized(input) === node.outputs[0]);
}

/** The dearer branch of an If; a Loop or Scan as often as it is known to turn. */
function controlCost(node: Node, dimsOf: DimsOf): OpCost | undefined {
  const bodies = node.subgraphs.map((graph) => graphCost(graph, dimsOf));
  const totals = bodies.map((costs): OpCost | undefined => {
    if (costs.some((cost) => cost.macs === undefined)) return undefined;
    return { macs: sum(costs.map((cost) => cost.macs ?? 0)), ops: sum(costs.map((cost) => cost.ops ?? 0)) };
  });
  if (totals.some((total) => !total)) return undefined;
  const known = totals.flatMap((total) => total ?? []);
  if (node.opType === "If") return known.reduce((a, b) => (b.macs > a.macs ? b : a), { macs: 0, ops: 0 });
  const turns = turnsOf(node, dimsOf);
  if (turns === undefined) return undefined;
  return { macs: turns * sum(known.map(({ macs }) => macs)), ops: turns * sum(known.map(({ ops }) => ops)) };
}

function turnsOf(node: Node, dimsOf: DimsOf): number | undefined {
  if (node.opType === "Loop") return node.inputs[0]?.constant?.numbers?.[0];
  if (node.opType !== "Scan") return undefined;
  const scanned = node.int("num_scan_inputs") ?? 0;
  return dimsOf(node.inputs[node.inputs.length - scanned])?.[node.ints("scan_input_axes")?.[0] ?? 0];
}

/** The stored constants behind a constant value, through what is folded on the way (a DequantizeLinear, a Transpose). */
function constantsOf(value: Value, folded: ReadonlySet<Node>): readonly Value[] {
  if (!isConstant(value, folded)) return [];
  if (value.constant || !value.producer) return [value];
  return value.producer.inputs.flatMap((input) => (input ? constantsOf(input, folded) : []));
}

const NO_PARAMETERS: ReadonlySet<number> = new Set([DataType.INT64, DataType.BOOL, DataType.STRING]);

/** Shape arithmetic (int64), masks, scales and zero points are no parameters. */
function parametersOf(value: Value): number {
  const tensor = value.constant;
  if (!tensor || NO_PARAMETERS.has(tensor.dataType)) return 0;
  const counts = value.uses.map(({ node, index }) => {
    const def = opDef(node.domain, node.opType);
    if (def?.data && !def.data.includes(index)) return 0;
    return (index === 1 ? def?.packedParameters?.(node) : undefined) ?? numericProduct(tensor.dims);
  });
  return Math.max(0, ...counts);
}

/** Every stored tensor once, however many nodes read it, bodies included. */
function constantTotals(graph: Graph): { parameters: number; weightBytes: number } {
  let parameters = 0;
  let weightBytes = 0;
  for (const value of graph.values.values()) {
    parameters += parametersOf(value);
    weightBytes += value.constant?.byteLength ?? 0;
  }
  for (const node of graph.nodes) {
    for (const body of node.subgraphs) {
      const inner = constantTotals(body);
      parameters += inner.parameters;
      weightBytes += inner.weightBytes;
    }
  }
  return { parameters, weightBytes };
}

export function bytesOf(value: Value, dimsOf: DimsOf): number | undefined {
  const dims = dimsOf(value);
  const elemType = value.type?.elemType;
  return dims && elemType !== undefined ? packedByteLength(elemType, numericProduct(dims)) : undefined;
}

function trafficOf(node: Node, folded: ReadonlySet<Node>, dimsOf: DimsOf): Pick<NodeCost, "reads" | "writes"> {
  const memory = opDef(node.domain, node.opType)?.memory;
  if (memory === "view" || isOp(node, "DequantizeLinear") || isFusedQuantize(node)) return { reads: [], writes: [] };
  const writes = held(node.outputs, folded).map((value) => traffic(value, bytesOf(value, dimsOf)));
  if (memory === "none") return { reads: [], writes };
  const written = totalBytes(writes);
  const reads = held(node.inputs, folded).map((value) => {
    const whole = bytesOf(value, dimsOf);
    if (memory !== "selects") return traffic(value, whole);
    return traffic(value, whole === undefined || written === undefined ? undefined : Math.min(whole, written));
  });
  return { reads, writes };
}

function held(values: readonly (Value | null)[], folded: ReadonlySet<Node>): readonly Value[] {
  const distinct = new Set<Value>();
  for (const value of values) if (value && !isConstant(value, folded)) distinct.add(materialized(value));
  return [...distinct];
}

function traffic(value: Value, bytes: number | undefined): Traffic {
  return bytes === undefined ? { value } : { value, bytes };
}

/** Undefined where one of them is unknown. */
export function totalBytes(traffic: readonly Traffic[]): number | undefined {
  let total = 0;
  for (const { bytes } of traffic) {
    if (bytes === undefined) return undefined;
    total += bytes;
  }
  return total;
}

const EIGHT_BITS: ReadonlySet<number> = new Set([DataType.INT8, DataType.UINT8]);
const HALVES: ReadonlySet<number> = new Set([DataType.FLOAT16, DataType.BFLOAT16]);

/** 8-bit where the data comes in 8 bits, directly or through a DequantizeLinear; else by the type of the output. */
function precisionOf(node: Node): Precision {
  const input = node.inputs.find((value) => value);
  const held = input && materialized(input).type?.elemType;
  const weights = node.inputs[1];
  const heldWeights = weights?.producer && isOp(weights.producer, "DequantizeLinear");
  if (held !== undefined && held !== null && EIGHT_BITS.has(held)) {
    const floats = weights && !heldWeights && weights.type?.elemType === DataType.FLOAT && weights.uses.length > 0;
    const directly = input?.type && EIGHT_BITS.has(input.type.elemType);
    return floats && !directly ? "f32" : "i8";
  }
  const out = node.outputs.find((value) => value)?.type?.elemType;
  return out !== undefined && HALVES.has(out) ? "f16" : "f32";
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
