/**
 * s * f(W x + b) -> f((s W) x + (s b)), where f only moves elements (Reshape, Transpose ...) or multiplies by another
 * matrix: the scale of attention's scores, s * (q k^T), goes into the weights that make q. What it costs is as many
 * products as there are scores, which grow with the square of the length.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { bypass, forEachNode, isOp, onlyReader, type Rule, writerOf } from "./rule.ts";

const VIEWS = ["Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"];
/** Beyond these the weights' range might not hold the product. */
const LARGEST_SCALE = 2 ** 16;

function single(value: Value | null | undefined): number | undefined {
  if (!value || value.isGraphInput || value.constant?.dataType !== DataType.FLOAT || value.constant.size !== 1)
    return undefined;
  return value.constant.numbers?.[0];
}

interface Scaled {
  readonly x: Value;
  readonly by: number;
}

/** x times one number; undefined where the number is in a tensor of more dimensions than x. */
export function scaledBy(node: Node | undefined): Scaled | undefined {
  if (!node || !isOp(node, "Mul", "Div")) return undefined;
  const [a, b] = node.inputs;
  if (!a || !b) return undefined;
  const swap = isOp(node, "Mul") && single(b) === undefined;
  const [x, c] = swap ? [b, a] : [a, b];
  const number = single(c);
  if (number === undefined || (c.shape?.length ?? 0) > (x.shape?.length ?? 0)) return undefined;
  return { x, by: isOp(node, "Div") ? 1 / number : number };
}

function isConstant(value: Value | null | undefined): boolean {
  return value?.constant?.dataType === DataType.FLOAT && !value.isGraphInput;
}

/** The constants that a layer adds up from: its weight, and its bias where it has one. */
interface Parts {
  readonly node: Node;
  readonly inputs: readonly number[];
}

/** What has to be scaled for `value` to be scaled; undefined where something else reads a part of the way. */
function partsOf(value: Value, reader: Node): readonly Parts[] | undefined {
  const node = value.producer;
  if (!node || node.graph !== value.graph || onlyReader(value) !== reader) return undefined;
  const [a, b, c] = node.inputs;
  if (!a) return undefined;
  if (isOp(node, ...VIEWS)) return partsOf(a, node);
  if (isOp(node, "Conv", "ConvTranspose", "Gemm"))
    return isConstant(b) && (!c || isConstant(c)) ? [{ node, inputs: c ? [1, 2] : [1] }] : undefined;
  if (isOp(node, "MatMul") && b) {
    if (isConstant(b)) return [{ node, inputs: [1] }];
    return partsOf(a, node) ?? partsOf(b, node);
  }
  if (!isOp(node, "Add") || !b) return undefined;
  const at = isConstant(a) ? 0 : 1;
  const product = writerOf(node.inputs[1 - at], "MatMul");
  if (!isConstant(node.inputs[at]) || !product || !isConstant(product.inputs[1])) return undefined;
  const weight = partsOf(product.output(), node);
  return weight && [...weight, { node, inputs: [at] }];
}

async function scale({ node, inputs }: Parts, by: number): Promise<void> {
  for (const index of inputs) {
    const { name, constant } = node.input(index);
    if (!constant) continue;
    const data = (await constant.floats()).map((w) => w * by);
    node.setInput(index, node.graph.addInitializer(name, Tensor.f32(constant.dims, data)));
  }
}

export const foldScaleIntoLayer: Rule = {
  name: "fold-scale-into-layer",
  apply({ graph, note }) {
    return forEachNode(graph, async (node) => {
      const scaled = scaledBy(node);
      if (!scaled?.x.producer || !isOp(scaled.x.producer, "MatMul", "Add", ...VIEWS)) return false;
      const { x, by } = scaled;
      if (!(Math.abs(by) <= LARGEST_SCALE && Math.abs(by) >= 1 / LARGEST_SCALE)) return false;
      const parts = partsOf(x, node);
      if (!parts) {
        if (isOp(x.producer ?? node, "MatMul")) note(node, "no layer with constant weights makes this value alone");
        return false;
      }
      if (!bypass(node, x)) return false;
      for (const part of parts) await scale(part, by);
      return true;
    });
  },
};
