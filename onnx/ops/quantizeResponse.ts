/** Elementwise functions as numbers, so that a range is judged by the error behind them (ONNX operator definitions). */
import type { Node } from "../ir/graph.ts";
import type { ElementwiseRule } from "./quantizeRule.ts";

type Response = (node: Node) => ((x: number) => number) | undefined;

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => (x > 30 ? x : Math.log1p(Math.exp(x)));
const ALPHA = 0.01;

const responses: Readonly<Record<string, Response>> = {
  Relu: () => (x) => Math.max(0, x),
  LeakyRelu: (node) => {
    const alpha = node.float("alpha") ?? ALPHA;
    return (x) => (x < 0 ? alpha * x : x);
  },
  Elu: (node) => {
    const alpha = node.float("alpha") ?? 1;
    return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
  },
  Sigmoid: () => sigmoid,
  HardSigmoid: (node) => {
    const [alpha, beta] = [node.float("alpha") ?? 0.2, node.float("beta") ?? 0.5];
    return (x) => Math.min(1, Math.max(0, alpha * x + beta));
  },
  HardSwish: () => (x) => x * Math.min(1, Math.max(0, x / 6 + 0.5)),
  Swish: (node) => {
    const alpha = node.float("alpha") ?? 1;
    return (x) => x * sigmoid(alpha * x);
  },
  Mish: () => (x) => x * Math.tanh(softplus(x)),
  Gelu: (node) =>
    node.string("approximate") === "tanh"
      ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      : (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  Tanh: () => Math.tanh,
  Softplus: () => softplus,
  Softsign: () => (x) => x / (1 + Math.abs(x)),
  Clip: (node) => {
    const [low, high] = [bound(node, 1, "min"), bound(node, 2, "max")];
    if (low === undefined || high === undefined) return undefined;
    return (x) => Math.min(high, Math.max(low, x));
  },
};

/** Functions of one element that no quantizer stands behind, but of which exporters compose the ones above. */
const parts: Readonly<Record<string, (x: number) => number>> = {
  Erf: erf,
  Exp: Math.exp,
  Neg: (x) => -x,
  Abs: Math.abs,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
  Identity: (x) => x,
};

const binary: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Min: Math.min,
  Max: Math.max,
};

/** Within 1.5e-7 (Abramowitz and Stegun, 7.1.26). */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - poly * Math.exp(-x * x));
}

/** What the node does to one element; undefined where it is no such function, or its parameters are computed. */
export function unaryFunction(node: Node): ((x: number) => number) | undefined {
  if (node.domain !== "") return undefined;
  if (Object.hasOwn(responses, node.opType)) return responses[node.opType]?.(node);
  return Object.hasOwn(parts, node.opType) ? parts[node.opType] : undefined;
}

/** What the node does to two elements in the same place. */
export function binaryFunction(node: Node): ((a: number, b: number) => number) | undefined {
  if (node.domain !== "" || node.inputs.length !== 2 || !Object.hasOwn(binary, node.opType)) return undefined;
  return binary[node.opType];
}

/** A bound of Clip: an input since opset 11, an attribute before; infinite where absent, undefined where computed. */
function bound(node: Node, index: number, name: "min" | "max"): number | undefined {
  const value = node.inputs[index];
  if (value) return value.constant?.numbers?.[0];
  return node.float(name) ?? (name === "min" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
}

/** Undefined for an operator that is no function of one element. */
export function responseRule(opType: string): ElementwiseRule | undefined {
  const response = Object.hasOwn(responses, opType) ? responses[opType] : undefined;
  if (!response) return undefined;
  const clamps = opType === "Relu" || opType === "Clip";
  return clamps ? { kind: "elementwise", response, clamps } : { kind: "elementwise", response };
}
