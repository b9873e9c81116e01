/**
 * x -> x: Identity, Dropout in inference, Cast to the same type, Reshape/Flatten/Squeeze/Unsqueeze/Expand/Tile to the
 * same shape, Transpose in order, Pad by nothing, Slice of everything, Concat/Sum/Max/Min/Mean of one, a reduction over
 * axes of size 1, pooling through a 1x1 window, x + 0, x - 0, x * 1, x / 1, x ^ 1.
 * r2(r1(x)) -> r2(x): only the last of several changes of shape counts.
 * Cast(Cast(x, wider), own type) -> x.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { Tensor } from "../../ir/tensor.ts";
import { bypass, forEachNode, isOp, onlyReader, type Rule, sameShape, staticShape, writerOf } from "./rule.ts";

const RESHAPES = ["Reshape", "Flatten", "Squeeze", "Unsqueeze"];

function allEqual(value: Value | null | undefined, to: number): boolean {
  const numbers = value?.constant?.numbers;
  return numbers !== undefined && numbers.length > 0 && numbers.every((x) => x === to);
}

function isDropoutInInference(node: Node): boolean {
  const mode = node.inputs[2];
  return isOp(node, "Dropout") && (!mode || allEqual(mode, 0));
}

function padsNothing(node: Node): boolean {
  const pads = node.ints("pads") ?? node.inputs[1]?.constant?.numbers;
  return pads?.every((pad) => pad === 0) ?? false;
}

/** Steps of 1 over all of each sliced axis; equal shapes rule out everything but a reversal. */
function slicesForward(node: Node): boolean {
  const steps = node.inputs[4];
  return !steps || allEqual(steps, 1);
}

/** The neutral element of a binary operator on its side, where the other input has the shape of the result. */
function neutralOperand(node: Node): Value | undefined {
  const [a, b] = node.inputs;
  if (!a || !b) return undefined;
  if (isOp(node, "Add") && allEqual(a, 0)) return b;
  if (isOp(node, "Mul") && allEqual(a, 1)) return b;
  if (isOp(node, "Add", "Sub") && allEqual(b, 0)) return a;
  if (isOp(node, "Mul", "Div", "Pow") && allEqual(b, 1)) return a;
  return undefined;
}

function isUnitWindow(node: Node): boolean {
  if (!isOp(node, "MaxPool", "AveragePool")) return false;
  const ones = (name: string, fill: number) => (node.ints(name) ?? []).every((x) => x === fill);
  return ones("kernel_shape", 1) && ones("strides", 1) && ones("pads", 0);
}

/** The value that the node hands through unchanged; undefined where it does something. */
function passedThrough(node: Node): Value | undefined {
  const x = node.inputs[0];
  const y = node.outputs[0];
  if (!x || !y) return undefined;
  if (isOp(node, "Identity") || isDropoutInInference(node)) return x;
  const sameType = x.type !== undefined && x.type.elemType === y.type?.elemType;
  if (isOp(node, "Cast")) return sameType ? x : undefined;
  const neutral = neutralOperand(node);
  if (neutral) return sameShape(neutral, y) && neutral.type?.elemType === y.type?.elemType ? neutral : undefined;
  if (isOp(node, "Transpose")) return node.ints("perm")?.every((axis, i) => axis === i) ? x : undefined;
  if (isOp(node, "Pad")) return padsNothing(node) ? x : undefined;
  if (isOp(node, "Concat", "Sum", "Max", "Min", "Mean") && node.inputs.length === 1) return x;
  if (isUnitWindow(node)) return x;
  if (!sameType || !sameShape(x, y)) return undefined;
  if (isOp(node, ...RESHAPES, "Expand", "Tile")) return x;
  if (isOp(node, "Slice")) return slicesForward(node) ? x : undefined;
  if (isOp(node, "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd")) return x;
  return undefined;
}

export const dropIdentities: Rule = {
  name: "drop-identities",
  apply({ graph, note }) {
    return forEachNode(graph, (node) => {
      const x = passedThrough(node);
      if (!x) return false;
      if (bypass(node, x)) return true;
      note(node, "it stands between two names that callers know");
      return false;
    });
  },
};

export const mergeReshapes: Rule = {
  name: "merge-reshapes",
  apply({ graph, note }) {
    return forEachNode(graph, (node) => {
      const before = writerOf(node.inputs[0], ...RESHAPES);
      if (!isOp(node, ...RESHAPES) || !before || before.graph !== graph) return false;
      const middle = before.output();
      if (onlyReader(middle) !== node) return false;
      const target = reshapeTarget(node.output());
      if (!target) {
        note(node, "two dimensions of its result are unknown");
        return false;
      }
      node.setInput(0, before.input(0));
      graph.removeNode(before);
      node.opType = "Reshape";
      node.truncateInputs(1);
      node.attributes.clear();
      node.setInput(1, graph.addInitializer(`${node.output().name}_shape`, Tensor.i64([target.length], target)));
      return true;
    });
  },
};

/** A Reshape target that stands for this value's shape whatever was reshaped: at most one dimension may be unknown. */
function reshapeTarget(value: Value): readonly number[] | undefined {
  const fixed = staticShape(value);
  if (fixed) return fixed.includes(0) ? undefined : fixed;
  const dims = value.shape?.map((dim) => (typeof dim === "number" ? dim : -1));
  return dims && dims.filter((dim) => dim === -1).length === 1 && !dims.includes(0) ? dims : undefined;
}

/** Types that hold every value of the key's type. */
const WIDER: Readonly<Record<number, readonly number[]>> = {
  [DataType.FLOAT16]: [DataType.FLOAT, DataType.DOUBLE],
  [DataType.BFLOAT16]: [DataType.FLOAT, DataType.DOUBLE],
  [DataType.FLOAT]: [DataType.DOUBLE],
  [DataType.INT8]: [DataType.INT16, DataType.INT32, DataType.INT64, DataType.FLOAT, DataType.DOUBLE],
  [DataType.UINT8]: [DataType.INT16, DataType.INT32, DataType.INT64, DataType.FLOAT, DataType.DOUBLE],
  [DataType.INT32]: [DataType.INT64, DataType.DOUBLE],
  [DataType.BOOL]: [DataType.UINT8, DataType.INT32, DataType.INT64, DataType.FLOAT, DataType.DOUBLE],
};

export const dropCastPairs: Rule = {
  name: "drop-cast-pairs",
  apply({ graph }) {
    return forEachNode(graph, (node) => {
      const before = writerOf(node.inputs[0], "Cast");
      if (!isOp(node, "Cast") || !before) return false;
      const x = before.input(0);
      const own = x.type?.elemType;
      const wide = before.int("to");
      if (own === undefined || wide === undefined || node.int("to") !== own) return false;
      return (WIDER[own] ?? []).includes(wide) && bypass(node, x);
    });
  },
};
