/**
 * Channels in multiples of the runtime's vectors: adds output channels of zeros to a Conv, up to the next multiple, where
 * everything between it and the next Convs can take them along.
 *
 *   Conv [24] -> Relu -> MaxPool -> Conv   ->   Conv [32] -> Relu -> MaxPool -> Conv, whose weight is zero for the new ones
 *
 * ONNX Runtime keeps channels in blocks of 8 or 16. A Conv pads to whole blocks by itself, so the new channels cost
 * nothing; pooling does not, and leaves the blocked layout for a slow loop. Exact: what is added is multiplied by zero.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { quantizeRuleOf } from "../quantize/layers.ts";
import { replaceConstant } from "../quantize/replaceConstant.ts";
import { isOp, staticShape } from "../simplify/rule.ts";

const BLOCK = 16;
const POOLS = ["MaxPool", "AveragePool", "GlobalAveragePool"] as const;

/** Pads the channels around each pooling whose own do not fill blocks; says how many poolings gained by it. */
export async function alignChannels(graph: Graph): Promise<number> {
  let count = 0;
  for (const node of [...graph.nodes]) {
    const channels = isOp(node, ...POOLS) ? channelsOf(node.input(0)) : undefined;
    if (!channels || channels % BLOCK === 0) continue;
    const cluster = clusterOf(node.input(0), channels);
    if (!cluster) continue;
    await pad(cluster, channels);
    count++;
  }
  return count;
}

interface Cluster {
  readonly values: ReadonlySet<Value>;
  /** Convs that write the first of these values, and Convs that read the last. */
  readonly writers: ReadonlySet<Node>;
  readonly readers: ReadonlySet<Node>;
  /** Convs of one filter a channel, in between. */
  readonly depthwise: ReadonlySet<Node>;
}

/** All that must get the channels together with `start`; undefined where something cannot. */
function clusterOf(start: Value, channels: number): Cluster | undefined {
  const values = new Set<Value>();
  const [writers, readers, depthwise] = [new Set<Node>(), new Set<Node>(), new Set<Node>()];
  const work = [start];
  for (let value = work.pop(); value; value = work.pop()) {
    if (values.has(value)) continue;
    const { producer } = value;
    if (value.isGraphOutput || !producer || channelsOf(value) !== channels) return undefined;
    values.add(value);
    for (const node of [producer, ...value.uses.map((use) => use.node)]) {
      const role = roleOf(node, value);
      if (role === "writes") writers.add(node);
      else if (role === "reads") readers.add(node);
      else if (role === "passes") {
        if (node.opType === "Conv") depthwise.add(node);
        work.push(...dataOf(node));
      } else return undefined;
    }
  }
  return { values, writers, readers, depthwise };
}

function roleOf(node: Node, value: Value): "writes" | "reads" | "passes" | undefined {
  if (isOp(node, "Conv")) {
    const [weight, bias] = [node.input(1).initializer, node.inputs[2]];
    if (weight?.dataType !== DataType.FLOAT || weight.dims.length !== 4 || (bias && !bias.initializer))
      return undefined;
    const groups = node.int("group") ?? 1;
    if (groups === 1) return node.output() === value ? "writes" : "reads";
    return groups === weight.dims[0] && weight.dims[1] === 1 ? "passes" : undefined;
  }
  if (isOp(node, ...POOLS)) return node.outputs[1] ? undefined : "passes";
  const elementwise = quantizeRuleOf(node)?.kind === "elementwise" || isOp(node, "Add", "Mul");
  const shape = String(value.shape);
  return elementwise && dataOf(node).every((data) => String(data.shape) === shape) ? "passes" : undefined;
}

/** What a node reads and writes, without constants of no shape: limits of a Clip. */
function dataOf(node: Node): readonly Value[] {
  const read = node.opType === "Conv" ? [node.input(0)] : node.inputs.flatMap((value) => value ?? []);
  return [...read.filter((value) => !value.constant || value.constant.dims.length > 0), node.output()];
}

function channelsOf(value: Value): number | undefined {
  const shape = staticShape(value);
  return shape?.length === 4 ? shape[1] : undefined;
}

async function pad({ values, writers, readers, depthwise }: Cluster, channels: number): Promise<void> {
  const aligned = Math.ceil(channels / BLOCK) * BLOCK;
  for (const node of [...writers, ...depthwise]) {
    await padConstant(node, 1, { axis: 0, size: aligned });
    if (node.inputs[2]) await padConstant(node, 2, { axis: 0, size: aligned });
  }
  for (const node of depthwise) node.set("group", aligned);
  for (const node of readers) await padConstant(node, 1, { axis: 1, size: aligned });
  for (const value of values) {
    const shape = value.shape?.map((dim, axis) => (axis === 1 ? aligned : dim));
    if (value.type && shape) value.type = { ...value.type, shape };
  }
}

/** Zeros at the end of an axis. */
async function padConstant(node: Node, index: number, to: { axis: number; size: number }): Promise<void> {
  const value = node.input(index);
  const tensor = value.constant;
  if (!tensor) throw new Error(`"${value.name}" is no constant`);
  const dims = tensor.dims.map((size, axis) => (axis === to.axis ? to.size : size));
  const run = tensor.dims.slice(to.axis).reduce((a, b) => a * b, 1);
  const wider = dims.slice(to.axis).reduce((a, b) => a * b, 1);
  const from = await tensor.floats();
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
  for (let i = 0; i * run < from.length; i++) data.set(from.subarray(i * run, (i + 1) * run), i * wider);
  replaceConstant(node, index, node.graph.addInitializer(value.name, Tensor.f32(dims, data)));
}
