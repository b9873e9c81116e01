/**
 * d = x - mean(x);  d / sqrt(mean(d * d) + epsilon) * scale + bias  ->  LayerNormalization(x, scale, bias)
 *
 * Over the last axis, in opset 17 and later, where LayerNormalization is a standard operator. Both ways of squaring
 * (Pow by 2, d * d) and of dividing (Div, Mul by the reciprocal) occur in exported graphs.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { bypass, forEachNode, isOp, type Rule, writerOf } from "./rule.ts";

interface Parts {
  readonly x: Value;
  readonly scale: Value;
  readonly bias: Value;
  readonly epsilon: number;
}

function single(value: Value | null | undefined): number | undefined {
  const numbers = value?.constant?.numbers;
  return numbers?.length === 1 ? numbers[0] : undefined;
}

/** Mean over the last axis, kept; undefined for anything else. */
function meanInput(value: Value | null | undefined): Value | undefined {
  const mean = writerOf(value, "ReduceMean");
  const x = mean?.inputs[0];
  const rank = x?.shape?.length;
  const axes = mean?.ints("axes") ?? mean?.inputs[1]?.constant?.numbers;
  const last = axes?.length === 1 && rank !== undefined && (axes[0] === -1 || axes[0] === rank - 1);
  return x && last && (mean?.int("keepdims") ?? 1) === 1 ? x : undefined;
}

/** The two operands with the constant of one dimension second; undefined where neither or both are. */
function withVector(node: Node | undefined, width: number): readonly [Value, Value] | undefined {
  const [a, b] = node?.inputs ?? [];
  if (!a || !b) return undefined;
  const isVector = (value: Value) => {
    const dims = value.constant?.dims;
    return dims?.length === 1 && dims[0] === width && !value.isGraphInput;
  };
  if (isVector(b) && !isVector(a)) return [a, b];
  return isVector(a) && !isVector(b) ? [b, a] : undefined;
}

function isCentred(value: Value | null | undefined): Value | undefined {
  const sub = writerOf(value, "Sub");
  const x = sub?.inputs[0];
  return x && meanInput(sub?.inputs[1]) === x ? x : undefined;
}

function squared(value: Value | undefined): Value | null | undefined {
  const pow = writerOf(value, "Pow");
  if (pow) return single(pow.inputs[1]) === 2 ? pow.inputs[0] : undefined;
  const mul = writerOf(value, "Mul");
  return mul && mul.inputs[0] === mul.inputs[1] ? mul.inputs[0] : undefined;
}

/** epsilon and d of sqrt(mean(d * d) + epsilon). */
function deviation(value: Value | null | undefined): { d: Value; epsilon: number } | undefined {
  const sum = writerOf(writerOf(value, "Sqrt")?.inputs[0], "Add");
  if (!sum) return undefined;
  const [a, b] = sum.inputs;
  const epsilon = single(b) ?? single(a);
  const d = squared(meanInput(single(b) === undefined ? b : a));
  return d && epsilon !== undefined ? { d, epsilon } : undefined;
}

function match(add: Node): Parts | undefined {
  const width = add.output().shape?.at(-1);
  if (typeof width !== "number") return undefined;
  const biased = withVector(add, width);
  const scaled = withVector(writerOf(biased?.[0], "Mul"), width);
  const div = writerOf(scaled?.[0], "Div");
  const below = deviation(div?.inputs[1]);
  const x = isCentred(below?.d);
  if (!biased || !scaled || !below || !x || div?.inputs[0] !== below.d) return undefined;
  return { x, scale: scaled[1], bias: biased[1], epsilon: below.epsilon };
}

export const fuseLayerNormalization: Rule = {
  name: "fuse-layer-normalization",
  apply({ graph, opset, note }) {
    return forEachNode(graph, (node) => {
      const parts = isOp(node, "Add") ? match(node) : undefined;
      if (!parts) return false;
      if (opset < 17 || node.output().type?.elemType !== DataType.FLOAT) {
        note(node, opset < 17 ? `LayerNormalization comes with opset 17; this is ${opset}` : "it is not f32");
        return false;
      }
      const { x, scale, bias, epsilon } = parts;
      const fused = graph.addNode(
        {
          opType: "LayerNormalization",
          name: node.name,
          inputs: [x, scale, bias],
          outputs: [graph.freshName(`${node.output().name}_normalized`)],
          attributes: { axis: -1, epsilon: { float: epsilon } },
        },
        node,
      );
      fused.output().type = node.output().type;
      return bypass(node, fused.output());
    });
  },
};
