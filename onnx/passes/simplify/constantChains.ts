/**
 * (x * a) * b -> x * (a b), likewise where one of them divides; (x + a) + b -> x + (a + b), likewise where one of them
 * subtracts. The constants have one shape, or one of them is a single number, so that nothing grows.
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

async function together(first: Step, second: Step, dims: readonly number[]): Promise<Tensor> {
  const [a, b] = [await first.constant.floats(), await second.constant.floats()];
  const at = (values: Float32Array, i: number) => values[values.length === 1 ? 0 : i] ?? 0;
  const one = (step: Step, x: number) => (!step.inverse ? x : step.kind === "scale" ? 1 / x : -x);
  const combine = first.kind === "scale" ? (x: number, y: number) => x * y : (x: number, y: number) => x + y;
  const size = dims.reduce((product, dim) => product * dim, 1);
  return Tensor.f32(
    dims,
    Float32Array.from({ length: size }, (_, i) => combine(one(first, at(a, i)), one(second, at(b, i)))),
  );
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
      if (!(await constant.floats()).every(Number.isFinite)) {
        note(node, "the constants together are not finite");
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
