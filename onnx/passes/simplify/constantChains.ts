/**
 * (x * a) * b -> x * (a b), likewise where one of them divides; (x + a) + b -> x + (a + b), likewise where one of them
 * subtracts. The constants have one shape, or one of them is a single number, so that nothing grows.
 *
 * What the first step rounds must not be more than what the merged one rounds anyway: (x + 1.5 * 2^23) - 1.5 * 2^23 is no
 * x + 0 but rounds x to a whole number, and (x * 1e30) * 1e-30 may pass through infinity.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { forEachNode, isOp, onlyReader, type Rule } from "./rule.ts";

const OPERATORS = ["Mul", "Div", "Add", "Sub"];

interface Step {
  readonly kind: "scale" | "shift";
  readonly x: Value;
  readonly constant: Tensor;
  /** Whether the constant divides or is subtracted. */
  readonly inverse: boolean;
}

/** x op constant, with the constant on either side where the operator does not mind. */
function stepOf(node: Node | undefined): Step | undefined {
  if (!node || !isOp(node, ...OPERATORS)) return undefined;
  const { opType } = node;
  const [a, b] = node.inputs;
  if (!a || !b) return undefined;
  const inverse = opType === "Div" || opType === "Sub";
  const kind = opType === "Mul" || opType === "Div" ? "scale" : "shift";
  const [x, by] = !inverse && floats(a) && !floats(b) ? [b, a] : [a, b];
  const constant = floats(by);
  return constant && !floats(x) ? { kind, x, constant, inverse } : undefined;
}

function floats(value: Value): Tensor | undefined {
  const tensor = value.isGraphInput ? undefined : value.constant;
  return tensor?.dataType === DataType.FLOAT ? tensor : undefined;
}

/** The shape of both together; undefined where it would be larger than each. */
function commonDims(a: Tensor, b: Tensor): readonly number[] | undefined {
  if (a.dims.join() === b.dims.join()) return a.dims;
  const [large, small] = a.size > b.size || (a.size === b.size && a.dims.length >= b.dims.length) ? [a, b] : [b, a];
  return small.size === 1 && small.dims.length <= large.dims.length ? large.dims : undefined;
}

/** Factors beyond these may leave the range of f32 before the other brings them back. */
const LARGEST_FACTOR = 2 ** 32;

/** Whether x op a, op b rounds as x op (a b) does, to the precision of the largest. */
function roundsAlike(kind: Step["kind"], first: Float64Array, both: Float32Array): boolean {
  if (kind === "shift") return largest(first) <= 2 * largest(both);
  const sizes = first.map(Math.abs);
  return sizes.every((size) => size === 0 || (size <= LARGEST_FACTOR && size >= 1 / LARGEST_FACTOR));
}

function largest(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

/** Undefined where the two steps round otherwise than one. */
async function together(first: Step, second: Step, dims: readonly number[]): Promise<Tensor | undefined> {
  const { kind } = first;
  const [a, b] = [await operands(first), await operands(second)];
  const size = dims.reduce((product, dim) => product * dim, 1);
  const alone = Float64Array.from({ length: size }, (_, i) => a(i));
  const both = Float32Array.from(alone, (x, i) => (kind === "scale" ? x * b(i) : x + b(i)));
  return roundsAlike(kind, alone, both) ? Tensor.f32(dims, both) : undefined;
}

/** What is multiplied with or added at an index. */
async function operands({ kind, constant, inverse }: Step): Promise<(index: number) => number> {
  const values = await constant.floats();
  const invert = (x: number) => (kind === "scale" ? 1 / x : -x);
  return (index) => {
    const x = values[values.length === 1 ? 0 : index] ?? 0;
    return inverse ? invert(x) : x;
  };
}

export const mergeConstantChains: Rule = {
  name: "merge-constant-chains",
  apply({ graph, note }) {
    return forEachNode(graph, async (node) => {
      const second = stepOf(node);
      const before = second?.x.producer;
      const first = before?.graph === graph ? stepOf(before) : undefined;
      if (!second || !first || !before || first.kind !== second.kind) return false;
      const dims = commonDims(first.constant, second.constant);
      if (!dims || onlyReader(second.x) !== node) {
        note(node, dims ? "the first result is read elsewhere too" : "the constants together would be larger");
        return false;
      }
      const constant = await together(first, second, dims);
      if (!constant || !(await constant.floats()).every(Number.isFinite)) {
        note(node, constant ? "the constants together are not finite" : "the two round otherwise than one would");
        return false;
      }
      node.opType = first.kind === "scale" ? "Mul" : "Add";
      node.setInput(0, first.x);
      node.setInput(1, graph.addInitializer(`${node.output().name}_constant`, constant));
      graph.removeNode(before);
      return true;
    });
  },
};
