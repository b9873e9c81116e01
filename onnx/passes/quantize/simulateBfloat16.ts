/**
 * BF16 where no runtime at hand computes in it: the same graph in 32-bit floats, each number that would be stored as
 * bfloat16 rounded to one. Inside an operator it stays as exact as float, which is how hardware accumulates.
 */
import { cloneModel } from "../../cloneModel.ts";
import { DataType } from "../../ir/dataType.ts";
import type { Graph, Model, Node, Value } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { Tensor } from "../../ir/tensor.ts";
import { floatToBfloat16 } from "../../kernels/floatToBfloat16.ts";
import { nodeName, quantizableLayers } from "./layers.ts";
import { measureSqnr } from "./measureSqnr.ts";
import type { MeasuringContext } from "./outputReference.ts";

/** A copy that any runtime runs, under the same names; the model itself where nothing in it is bfloat16. */
export async function simulateBfloat16(model: Model): Promise<Model> {
  if (![...model.graph.values.values()].some(isBfloat16)) return model;
  const copy = cloneModel(model);
  const { graph } = copy;
  for (const value of graph.initializers) {
    const tensor = value.initializer;
    if (tensor?.dataType === DataType.BFLOAT16) {
      value.initializer = Tensor.f32(tensor.dims, await tensor.floats());
      value.type = { ...value.type, elemType: DataType.FLOAT };
    }
  }
  const nodes = [...graph.nodes];
  for (const [i, node] of nodes.entries()) {
    for (const name of ["to", "dtype"]) if (node.int(name) === DataType.BFLOAT16) node.set(name, DataType.FLOAT);
    const value = node.tensor("value");
    if (value?.dataType === DataType.BFLOAT16) node.set("value", Tensor.f32(value.dims, await value.floats()));
    for (const [index, out] of node.outputs.entries())
      if (out && isBfloat16(out)) roundOutput(node, index, nodes[i + 1]);
  }
  return copy;
}

/**
 * What each layer would keep if it alone were computed in bfloat16, dB by its name: beside each stands a twin that reads
 * the same float input, rounded. Absent where nothing was lost.
 */
export async function bfloat16Alone(
  model: Model,
  frames: readonly HostTensors[],
  ctx: MeasuringContext,
): Promise<ReadonlyMap<string, number>> {
  const twins = cloneModel(model);
  const { graph } = twins;
  const outputs = new Map<string, string>();
  for (const { node, rule } of quantizableLayers(graph).layers) {
    const next = graph.nodes[graph.nodes.indexOf(node) + 1];
    const out = node.output();
    const { name } = out;
    const inputs: (Value | null)[] = [];
    for (const [index, value] of node.inputs.entries()) {
      inputs.push(
        value && (index === rule.activation ? rounded(graph, value, node) : await roundedConstant(graph, value)),
      );
    }
    graph.rename(out, graph.freshName(`${name}_float`));
    const twin = graph.addNode({ opType: node.opType, domain: node.domain, inputs, outputs: [name] }, next);
    for (const [key, attribute] of node.attributes) twin.attributes.set(key, attribute);
    twin.output().type = out.type;
    roundOutput(twin, 0, next);
    outputs.set(nodeName(node), name);
  }
  const sqnr = await measureSqnr({ float: model, quantized: twins }, [...outputs.values()], frames, ctx);
  return new Map(
    [...outputs].flatMap(([node, name]) => {
      const db = sqnr.get(name);
      return db === undefined ? [] : [[node, db] as const];
    }),
  );
}

function isBfloat16({ type }: Value): boolean {
  return type?.elemType === DataType.BFLOAT16;
}

/** The value goes on under its name, rounded. */
function roundOutput(node: Node, index: number, before: Node | undefined): void {
  const { graph } = node;
  const out = node.outputs[index];
  if (!out) return;
  const type = { ...out.type, elemType: DataType.FLOAT };
  const raw = graph.addValue(graph.freshName(`${out.name}_raw`), type);
  node.setOutput(index, raw);
  roundInto(graph, { from: raw, to: out }, before);
  out.type = type;
}

function rounded(graph: Graph, value: Value, before: Node): Value {
  const to = graph.addValue(graph.freshName(`${value.name}_rounded`), value.type);
  roundInto(graph, { from: value, to }, before);
  return to;
}

function roundInto(graph: Graph, { from, to }: { from: Value; to: Value }, before: Node | undefined): void {
  const name = graph.freshName(`${from.name}_bf16`);
  const short = graph.addNode(
    { opType: "Cast", name, inputs: [from], outputs: [name], attributes: { to: DataType.BFLOAT16 } },
    before,
  );
  short.output().type = { ...from.type, elemType: DataType.BFLOAT16 };
  const back = graph.freshName(`${from.name}_back`);
  graph.addNode(
    { opType: "Cast", name: back, inputs: [short.output()], outputs: [to], attributes: { to: DataType.FLOAT } },
    before,
  );
}

async function roundedConstant(graph: Graph, value: Value): Promise<Value> {
  const { constant } = value;
  if (constant?.dataType !== DataType.FLOAT) return value;
  const short = Tensor.of(DataType.BFLOAT16, constant.dims, Uint16Array.from(await constant.floats(), floatToBfloat16));
  return graph.addInitializer(graph.freshName(`${value.name}_rounded`), Tensor.f32(short.dims, await short.floats()));
}
