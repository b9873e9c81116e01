/**
 * f(constants) -> constant.
 *
 * Two ways. What shape inference knows the elements of (`Shape -> Gather -> Concat`, with static dimensions) needs no
 * runtime. Everything else whose inputs are all constants is computed once, by the evaluator, in one small model that
 * holds just those nodes. Not folded: what grows the file (an Expand of one number, weights unpacked from integers),
 * random operators, and DequantizeLinear, whose folding would undo a quantization.
 */
import { DataType, packedByteLength } from "../../ir/dataType.ts";
import { Graph, Model, type Node, type Value } from "../../ir/graph.ts";
import { elementCount, Tensor } from "../../ir/tensor.ts";
import { isDeterministic } from "../nodeKey.ts";
import { forEachNode, isOp, type Rule, type RuleScope, staticShape } from "./rule.ts";

/** Below this a folded constant may be larger than what it was made from. */
const FREE_BYTES = 64 * 1024;
/** No more than this is computed in one go. */
const BUDGET_BYTES = 256 * 1024 * 1024;

const FOLDABLE: readonly number[] = [
  DataType.FLOAT,
  DataType.DOUBLE,
  DataType.FLOAT16,
  DataType.INT8,
  DataType.UINT8,
  DataType.INT16,
  DataType.UINT16,
  DataType.INT32,
  DataType.UINT32,
  DataType.INT64,
  DataType.UINT64,
  DataType.BOOL,
];

function makeConstant(value: Value, tensor: Tensor): void {
  const { producer } = value;
  const { graph } = value;
  const at = producer?.outputs.indexOf(value) ?? -1;
  producer?.setOutput(at, null);
  value.initializer = tensor;
  value.type = { elemType: tensor.dataType, shape: tensor.dims };
  if (producer?.outputs.every((out) => !out)) graph.removeNode(producer);
}

/** Elements known by inference -> initializer. */
export const foldShapes: Rule = {
  name: "fold-shapes",
  apply(scope) {
    return forEachNode(scope.graph, (node) => {
      const out = node.outputs[0];
      if (node.outputs.length !== 1 || !out || out.isGraphOutput || out.uses.length === 0) return false;
      const elements = scope.elements(out)?.filter((x) => typeof x === "number");
      const dims = staticShape(out);
      if (!elements || !dims || out.type?.elemType !== DataType.INT64 || elements.length !== elementCount(dims))
        return false;
      makeConstant(out, Tensor.i64(dims, elements));
      return true;
    });
  },
};

/** Bytes of a value, where its type is known and may cross to the runtime and back. */
function knownBytes(value: Value): number | undefined {
  const dims = staticShape(value);
  const elemType = value.type?.elemType;
  if (!dims || elemType === undefined || !FOLDABLE.includes(elemType)) return undefined;
  return packedByteLength(elemType, elementCount(dims));
}

/** Nodes whose inputs are all constant, in topological order, with the values they write. */
class Foldable {
  readonly nodes: Node[] = [];
  readonly values = new Set<Value>();
  #bytes = 0;

  constructor(readonly scope: RuleScope) {
    for (const node of scope.graph.nodes) if (this.#admits(node)) this.#add(node);
  }

  #add(node: Node): void {
    this.nodes.push(node);
    for (const out of node.outputs) if (out) this.values.add(out);
  }

  #isConstant(value: Value | null): boolean {
    if (!value) return true;
    return this.values.has(value) || (value.initializer !== undefined && !value.isGraphInput);
  }

  #admits(node: Node): boolean {
    if (node.inputs.length === 0 && !isOp(node, "Constant")) return false;
    if (!node.inputs.every((value) => this.#isConstant(value))) return false;
    const reason = this.#refuses(node);
    if (reason !== undefined) this.scope.note(node, reason);
    return reason === undefined;
  }

  #refuses(node: Node): string | undefined {
    if (node.subgraphs.length > 0) return "has a body";
    if (node.domain !== "" && node.domain !== "ai.onnx") return `is of the domain ${node.domain}`;
    if (!isDeterministic(node)) return "is random";
    if (isOp(node, "DequantizeLinear")) return "folding it would undo the quantization";
    let [after, before] = [0, 0];
    for (const out of node.outputs) {
      if (!out) continue;
      const bytes = knownBytes(out);
      if (bytes === undefined) return "the size or type of its result is not known before the run";
      after += bytes;
    }
    for (const value of node.inputs) before += value ? (knownBytes(value) ?? 0) : 0;
    if (after > FREE_BYTES && after > 2 * before)
      return `its result (${after} bytes) is larger than its inputs (${before})`;
    if (this.#bytes + after > BUDGET_BYTES) return "the budget for folding is used up";
    this.#bytes += after;
    return undefined;
  }

  /** Values that others read, and so must become constants. */
  get results(): readonly Value[] {
    return [...this.values].filter(
      (value) =>
        !value.isGraphOutput && value.uses.some((use) => !use.node.outputs.some((out) => out && this.values.has(out))),
    );
  }
}

/** A model of just these nodes, with the results as its outputs. */
function constantModel(foldable: Foldable, results: readonly Value[]): Model {
  const graph = new Graph("constants");
  const model = new Model(graph);
  model.opsetImports.set("", foldable.scope.opset);
  const copies = new Map<Value, Value>();
  const copyOf = (value: Value) => {
    const known = copies.get(value);
    if (known) return known;
    const copy = graph.addValue(value.name, value.type);
    copy.initializer = value.initializer;
    copies.set(value, copy);
    return copy;
  };
  for (const node of foldable.nodes) {
    graph.addNode({
      opType: node.opType,
      inputs: node.inputs.map((value) => value && copyOf(value)),
      outputs: node.outputs.map((value) => (value ? copyOf(value) : "")),
      attributes: Object.fromEntries(node.attributes),
    });
  }
  for (const value of results) graph.addOutput(copyOf(value));
  return model;
}

export const foldConstants: Rule = {
  name: "fold-constants",
  async apply(scope) {
    const foldable = new Foldable(scope);
    const { results } = foldable;
    if (results.length === 0) return 0;
    if (!scope.evaluator) {
      for (const node of foldable.nodes) scope.note(node, "no evaluator is at hand");
      return 0;
    }
    await using session = await scope.evaluator.open(constantModel(foldable, results));
    const computed = await session.run({});
    for (const value of results) {
      const tensor = computed[value.name];
      if (tensor) makeConstant(value, Tensor.of(tensor.dataType, tensor.dims, tensor.data));
    }
    return foldable.nodes.length;
  },
};
