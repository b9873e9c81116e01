/** How convolutions and matrix products are quantized: where activation, weight and bias go in, how the weight lies. */
import type { Node } from "../ir/graph.ts";
import type { ComputeRule, WeightView } from "./quantizeRule.ts";

const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);

/** Weight [outputs, inputs / group, kernel...]. */
export const convQuantize: ComputeRule = {
  kind: "compute",
  activation: 0,
  weight: 1,
  bias: 2,
  channelAxis: 1,
  weightView(node, dims) {
    const [total, inputs] = dims;
    if (total === undefined || inputs === undefined || dims.length < 3) return undefined;
    const groups = node.int("group") ?? 1;
    const taps = product(dims.slice(2));
    const outputs = total / groups;
    return {
      groups,
      outputs,
      inputs,
      taps,
      strides: { group: outputs * inputs * taps, output: inputs * taps, input: taps, tap: 1 },
      outputAxis: 0,
    };
  },
};

/** Weight [inputs, outputs / group, kernel...]; in groups an index of axis 1 is an output channel of each group. */
export const convTransposeQuantize: ComputeRule = {
  ...convQuantize,
  weightView(node, dims) {
    const [total, outputs] = dims;
    if (total === undefined || outputs === undefined || dims.length < 3) return undefined;
    const groups = node.int("group") ?? 1;
    const taps = product(dims.slice(2));
    const inputs = total / groups;
    return {
      groups,
      outputs,
      inputs,
      taps,
      strides: { group: inputs * outputs * taps, output: taps, input: outputs * taps, tap: 1 },
      outputAxis: groups === 1 ? 1 : undefined,
    };
  },
};

/** Activation times weight [inputs, outputs]. */
export const matmulQuantize: ComputeRule = {
  kind: "compute",
  activation: 0,
  weight: 1,
  channelAxis: -1,
  weightView: (_node, dims) => matrixView(dims, false),
};

export const gemmQuantize: ComputeRule = {
  ...matmulQuantize,
  bias: 2,
  // A scaled or transposed product is rare and not worth a rule of its own.
  weightView: (node, dims) => (isPlainGemm(node) ? matrixView(dims, node.int("transB") === 1) : undefined),
};

function isPlainGemm(node: Node): boolean {
  return (node.float("alpha") ?? 1) === 1 && (node.float("beta") ?? 1) === 1 && !node.int("transA");
}

function matrixView(dims: readonly number[], transposed: boolean): WeightView | undefined {
  const [rows, columns] = dims;
  if (rows === undefined || columns === undefined || dims.length !== 2) return undefined;
  const [inputs, outputs] = transposed ? [columns, rows] : [rows, columns];
  const [input, output] = transposed ? [1, columns] : [columns, 1];
  return {
    groups: 1,
    outputs,
    inputs,
    taps: 1,
    strides: { group: rows * columns, output, input, tap: 1 },
    outputAxis: transposed ? 0 : 1,
  };
}
