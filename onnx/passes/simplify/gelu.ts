/**
 * x * (1 + erf(x / sqrt 2)) / 2                                  ->  Gelu(x)
 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2          ->  Gelu(x, approximate = "tanh")
 *
 * In operator set 20 and later, where Gelu is a standard operator. The three factors occur in every order, and x / sqrt 2
 * as a product too.
 */
import { DataType } from "../../ir/dataType.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { bypass, forEachNode, isOp, onlyReader, type Rule, writerOf } from "./rule.ts";

const SINCE = 20;
/** Exporters write constants in f32, some with few digits. */
const TOLERANCE = 1e-4;
const CUBIC = 0.044715;

export const fuseGelu: Rule = {
  name: "fuse-gelu",
  apply({ graph, opset, note }) {
    return forEachNode(graph, (node) => {
      const found = isOp(node, "Mul") ? match(node) : undefined;
      if (!found) return false;
      if (opset < SINCE) {
        note(node, `Gelu comes with opset ${SINCE}; this is ${opset}`);
        return false;
      }
      const { x, approximate } = found;
      const name = graph.freshName(`${node.output().name}_gelu`);
      const gelu = graph.addNode({ opType: "Gelu", name: node.name, inputs: [x], outputs: [name] }, node);
      if (approximate === "tanh") gelu.set("approximate", approximate);
      gelu.output().type = node.output().type;
      return bypass(node, gelu.output());
    });
  },
};

interface Found {
  readonly x: Value;
  readonly approximate: "none" | "tanh";
}

function match(mul: Node): Found | undefined {
  if (mul.output().type?.elemType !== DataType.FLOAT) return undefined;
  const factors = factorsOf(mul);
  if (factors.length !== 3) return undefined;
  const half = factors.find((value) => isNear(value, 0.5));
  const [a, b] = factors.filter((value) => value !== half);
  if (!half || !a || !b) return undefined;
  for (const [x, gate] of [
    [a, b],
    [b, a],
  ] as const) {
    const approximate = gateOf(gate, x);
    if (approximate) return { x, approximate };
  }
  return undefined;
}

/** The factors of a product of products, where nothing else reads the inner ones. */
function factorsOf(mul: Node): readonly Value[] {
  return mul.inputs.flatMap((value) => {
    if (!value) return [];
    const inner = writerOf(value, "Mul");
    return inner && onlyReader(value) === mul ? inner.inputs.flatMap((factor) => factor ?? []) : [value];
  });
}

/** Which 1 + f(x) this is. */
function gateOf(value: Value, x: Value): Found["approximate"] | undefined {
  const bent = besides(writerOf(value, "Add"), 1);
  const erf = writerOf(bent, "Erf");
  if (erf && isScaled(erf.inputs[0], x, Math.SQRT1_2)) return "none";
  const inner = besides(writerOf(writerOf(bent, "Tanh")?.inputs[0], "Mul"), Math.sqrt(2 / Math.PI));
  const sum = writerOf(inner, "Add");
  const cubic = sum?.inputs.find((term) => term !== x);
  if (!sum?.inputs.includes(x) || !cubic) return undefined;
  const cube = writerOf(besides(writerOf(cubic, "Mul"), CUBIC), "Pow");
  return cube?.inputs[0] === x && isNear(cube.inputs[1], 3) ? "tanh" : undefined;
}

/** The operand beside a constant of this value. */
function besides(node: Node | undefined, constant: number): Value | undefined {
  const [a, b] = node?.inputs ?? [];
  if (!a || !b) return undefined;
  if (isNear(b, constant)) return a;
  return isNear(a, constant) ? b : undefined;
}

function isScaled(value: Value | null | undefined, x: Value, factor: number): boolean {
  const div = writerOf(value, "Div");
  if (div) return div.inputs[0] === x && isNear(div.inputs[1], 1 / factor);
  return besides(writerOf(value, "Mul"), factor) === x;
}

function isNear(value: Value | null | undefined, wanted: number): boolean {
  const tensor = value?.isGraphInput ? undefined : value?.constant;
  const numbers = tensor?.size === 1 ? tensor.numbers : undefined;
  const [x] = numbers ?? [];
  return x !== undefined && Math.abs(x - wanted) <= TOLERANCE * Math.abs(wanted);
}
