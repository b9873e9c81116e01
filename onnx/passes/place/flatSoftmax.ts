/**
 * Softmax over the channels of a picture, on rows: the picture's axes become one.
 *
 *   Transpose [N,W,H,C] -> Softmax -> Transpose [N,C,H,W]
 *     ->   Reshape [N,C,HW] -> Transpose [N,HW,C] -> Softmax -> Transpose [N,C,HW] -> Reshape [N,C,H,W]
 *
 * The same numbers: each softmax is of one pixel's channels, in whatever order the pixels come. ONNX Runtime moves two
 * axes past a third element by element, and swaps two axes in blocks.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { forEachNode, isOp, onlyReader, staticShape, writerOf } from "../simplify/rule.ts";

/** Says how many it rewrote. */
export function flattenSoftmax(graph: Graph): Promise<number> {
  return forEachNode(graph, (node) => {
    const [before, after] = [writerOf(node.inputs[0], "Transpose"), onlyReader(node.output())];
    if (!isOp(node, "Softmax") || !isLast(node.int("axis"))) return false;
    if (!before || !after || !isOp(after, "Transpose") || onlyReader(before.output()) !== node) return false;
    const shape = staticShape(before.input(0));
    const perm = before.ints("perm");
    if (shape?.length !== 4 || perm?.[0] !== 0 || perm[3] !== 1 || !undoes(after.ints("perm"), perm)) return false;
    flatten(node, { before, after, shape });
    return true;
  });
}

/** Of four axes; operator sets before 13 flatten what is behind the axis, which is nothing behind the last. */
const isLast = (axis: number | undefined) => axis === -1 || axis === 3;

function undoes(perm: readonly number[] | undefined, other: readonly number[]): boolean {
  return perm?.length === other.length && other.every((axis, i) => perm[axis] === i);
}

function flatten(node: Node, at: { before: Node; after: Node; shape: readonly number[] }): void {
  const { before, after, shape } = at;
  const { graph } = node;
  const [n = 1, c = 1, h = 1, w = 1] = shape;
  const [read, written] = [before.output().name, after.output().name];
  const flat = add(node, { opType: "Reshape", inputs: [before.input(0)], name: `${read}_flat`, shape: [n, c, h * w] });
  const rows = add(node, { opType: "Transpose", inputs: [flat], name: `${read}_rows`, shape: [n, h * w, c] });
  const done = add(node, { opType: "Softmax", inputs: [rows], name: `${written}_rows`, shape: [n, h * w, c] });
  const columns = add(node, { opType: "Transpose", inputs: [done], name: `${written}_flat`, shape: [n, c, h * w] });
  after.opType = "Reshape";
  after.attributes.clear();
  after.setInput(0, columns);
  after.setInput(1, graph.addInitializer(`${written}_shape`, Tensor.i64([4], shape)));
  graph.removeNode(node);
  graph.removeNode(before);
}

interface Added {
  readonly opType: "Reshape" | "Transpose" | "Softmax";
  readonly inputs: readonly Value[];
  readonly name: string;
  readonly shape: readonly number[];
}

function add(before: Node, { opType, inputs, name, shape }: Added): Value {
  const { graph } = before;
  const output = graph.freshName(name);
  const target = opType === "Reshape" ? [graph.addInitializer(`${name}_shape`, Tensor.i64([3], shape))] : [];
  const node = graph.addNode({ opType, name: output, inputs: [...inputs, ...target], outputs: [output] }, before);
  if (opType === "Transpose") node.set("perm", [0, 2, 1]);
  if (opType === "Softmax") node.set("axis", 2);
  const value = node.output();
  value.type = { elemType: before.output().type?.elemType ?? DataType.FLOAT, shape };
  return value;
}
