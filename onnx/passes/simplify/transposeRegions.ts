/**
 * f(Transpose(x, p)) -> Transpose(f(x), p), for whole regions of operators that do not mind the order of axes: element by
 * element, or along one axis that is renamed (Concat, Softmax, Split). A region is computed in the order of x where fewer
 * Transposes are left than before: those into it go, one for each value that leaves it comes, and where what leaves it is
 * transposed back, both go. So models exported with channels last meet their Convs without a Transpose at each.
 */
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { isOp, type Rule } from "./rule.ts";

const ELEMENTWISE = [
  ..."Abs Add Cast Ceil Clip Div Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity LeakyRelu Log Max Min Mish".split(
    " ",
  ),
  ..."Mul Neg Not Pow Reciprocal Relu Round Selu Sigmoid Sign Softplus Softsign Sqrt Sub Sum Tanh".split(" "),
];
const ALONG_AN_AXIS = ["Concat", "Softmax", "LogSoftmax", "Split"];

interface Region {
  readonly perm: readonly number[];
  readonly nodes: ReadonlySet<Node>;
}

const key = (perm: readonly number[] | undefined) => perm?.join();
const inverseOf = (perm: readonly number[]) => perm.map((_, axis) => perm.indexOf(axis));

function entersRegion(value: Value, { perm, nodes }: Region): boolean {
  const from = value.producer;
  if (!from || from.graph !== value.graph) return false;
  return nodes.has(from) || (isOp(from, "Transpose") && key(from.ints("perm")) === key(perm));
}

/** A constant's dimensions in the order of x; undefined where its elements would have to be moved. */
function dimsBefore(value: Value, perm: readonly number[]): readonly number[] | undefined {
  const dims = value.isGraphInput ? undefined : value.initializer?.dims;
  if (!dims || dims.length > perm.length || dims.filter((dim) => dim !== 1).length > 1) return undefined;
  if (dims.every((dim) => dim === 1)) return dims;
  const full = [...new Array<number>(perm.length - dims.length).fill(1), ...dims];
  return inverseOf(perm).map((axis) => full[axis] ?? 1);
}

/** Inputs that say how (split sizes, bounds of a Clip), not what. */
function isData(node: Node, index: number): boolean {
  return index === 0 || !isOp(node, "Split", "Clip");
}

function admits(node: Node, region: Region, opset: number): boolean {
  if (!isOp(node, ...ELEMENTWISE, ...ALONG_AN_AXIS)) return false;
  if (isOp(node, "Softmax", "LogSoftmax") && opset < 13) return false;
  const rank = region.perm.length;
  if (node.outputs.some((out) => out && out.shape?.length !== rank)) return false;
  const concat = isOp(node, "Concat");
  return node.inputs.every((value, index) => {
    if (!value || !isData(node, index)) return true;
    if (entersRegion(value, region)) return value.shape?.length === rank;
    return !concat && dimsBefore(value, region.perm) !== undefined;
  });
}

/** All nodes behind a Transpose by `perm` that could be computed before it. */
function grow(graph: Graph, perm: readonly number[], opset: number): Region {
  const nodes = new Set<Node>();
  const region = { perm, nodes };
  // In topological order each node's inputs are settled; what a later one does not change an earlier one's case.
  for (const node of graph.nodes) if (reaches(node, region) && admits(node, region, opset)) nodes.add(node);
  return region;
}

function reaches(node: Node, region: Region): boolean {
  return node.inputs.some((value, index) => value && isData(node, index) && entersRegion(value, region));
}

/** Parts that share no value: each is judged on its own. */
function* partsOf({ perm, nodes }: Region): Generator<Region> {
  const left = new Set(nodes);
  for (const seed of nodes) {
    if (!left.delete(seed)) continue;
    const part = new Set([seed]);
    for (const node of part) {
      const values = [...node.inputs, ...node.outputs].filter((value) => value && !value.initializer);
      for (const value of values) {
        for (const other of [value?.producer, ...(value?.uses.map((use) => use.node) ?? [])]) {
          if (other && left.delete(other)) part.add(other);
        }
      }
    }
    yield { perm, nodes: part };
  }
}

function entriesOf({ nodes }: Region): ReadonlySet<Node> {
  const entries = new Set<Node>();
  for (const node of nodes) {
    for (const value of node.inputs) {
      const from = value?.producer;
      if (from && !nodes.has(from) && isOp(from, "Transpose")) entries.add(from);
    }
  }
  return entries;
}

const readersOutside = (value: Value, { nodes }: Region) => value.uses.filter((use) => !nodes.has(use.node));

/** Transposes saved: more than none makes the region worth it. */
function gainOf(region: Region): number {
  const back = key(inverseOf(region.perm));
  let gain = 0;
  for (const entry of entriesOf(region)) {
    const out = entry.output();
    if (!out.isGraphOutput && readersOutside(out, region).length === 0) gain++;
  }
  for (const node of region.nodes) {
    for (const out of node.outputs) {
      if (!out) continue;
      const outside = readersOutside(out, region);
      const undone = outside.filter(
        ({ node: reader }) => isOp(reader, "Transpose") && key(reader.ints("perm")) === back,
      );
      gain += undone.length;
      if (out.isGraphOutput || outside.length > undone.length) gain--;
    }
  }
  return gain;
}

async function rewrite(graph: Graph, region: Region): Promise<void> {
  const { perm, nodes } = region;
  const back = inverseOf(perm);
  for (const node of nodes) {
    for (const [index, value] of node.inputs.entries()) {
      if (!value || !isData(node, index)) continue;
      const from = value.producer;
      const { initializer } = value;
      if (from && !nodes.has(from)) node.setInput(index, from.input(0));
      else if (initializer) {
        const dims = dimsBefore(value, perm) ?? initializer.dims;
        const moved = Tensor.of(initializer.dataType, dims, await initializer.bytes());
        node.setInput(index, graph.addInitializer(value.name, moved));
      }
    }
    const axis = isOp(node, ...ALONG_AN_AXIS) ? (node.int("axis") ?? (isOp(node, "Split") ? 0 : -1)) : undefined;
    if (axis !== undefined) node.set("axis", perm[axis < 0 ? axis + perm.length : axis] ?? axis);
  }
  for (const node of nodes) for (const index of node.outputs.keys()) transposeAfter(node, index, { region, back });
}

/** Readers outside get the value as it was, by a Transpose behind the node. */
function transposeAfter(
  node: Node,
  index: number,
  { region, back }: { readonly region: Region; readonly back: readonly number[] },
): void {
  const out = node.outputs[index];
  const { graph } = node;
  if (!out?.type?.shape) return;
  const { elemType, shape } = out.type;
  const before = { elemType, shape: back.map((axis) => shape[axis] ?? null) };
  if (readersOutside(out, region).length === 0 && !out.isGraphOutput) {
    out.type = before;
    return;
  }
  const value = graph.addValue(graph.freshName(`${out.name}_before`), before);
  node.setOutput(index, null);
  node.setOutput(index, value);
  for (const use of [...out.uses]) if (region.nodes.has(use.node)) use.node.setInput(use.index, value);
  const after = graph.nodes[graph.nodes.indexOf(node) + 1];
  graph.addNode(
    { opType: "Transpose", inputs: [value], outputs: [out], attributes: { perm: [...region.perm] } },
    after,
  );
}

export const sinkTransposes: Rule = {
  name: "sink-transposes",
  async apply({ graph, opset }) {
    const perms = new Map<string, readonly number[]>();
    for (const node of graph.nodes) {
      const perm = isOp(node, "Transpose") ? node.ints("perm") : undefined;
      if (perm?.some((axis, i) => axis !== i)) perms.set(perm.join(), perm);
    }
    for (const perm of perms.values()) {
      let count = 0;
      for (const part of [...partsOf(grow(graph, perm, opset))]) {
        if (gainOf(part) <= 0) continue;
        await rewrite(graph, part);
        count++;
      }
      // Other permutations are looked at again once types and Transposes have settled.
      if (count > 0) return count;
    }
    return 0;
  },
};
