/**
 * What happens to a tensor next: where one function of each element is all that is made of it, in one node (Sigmoid,
 * HardSwish), in two (x * Sigmoid(x), which is SiLU) or in as many as an exporter wrote GELU or Mish in, an error in the
 * tensor matters only as far as the function lets it through. A range chosen by the error after the function cuts off
 * what the function flattens anyway.
 */
import type { Node, Value } from "../../ir/graph.ts";
import { binaryFunction, unaryFunction } from "../../ops/quantizeResponse.ts";

type ElementFunction = (x: number) => number;

export interface Response {
  /** For reports: `Sigmoid`, `x * Sigmoid`. */
  readonly name: string;
  readonly of: ElementFunction;
  /** What the function gives. */
  readonly output: Value;
}

/** More nodes than any activation is written in. */
const MOST_NODES = 12;

/** Undefined where the tensor is read as it is, or by several readers that no single function sums up. */
export function responseAfter(value: Value): Response | undefined {
  const known = new Map<Value, ElementFunction>([[value, (x) => x]]);
  const nodes: Node[] = [];
  while (nodes.length < MOST_NODES) {
    const next = nextFunction(known, nodes);
    if (!next) return undefined;
    nodes.push(next.node);
    known.set(next.output, next.of);
    // What is made of the tensor has come together again: all that went before is read by nothing else.
    const isClosed = (v: Value) => !v.isGraphOutput && v.uses.every(({ node }) => nodes.includes(node));
    if ([...known.keys()].every((v) => v === next.output || isClosed(v))) {
      return { name: nameOf(nodes), of: next.of, output: next.output };
    }
  }
  return undefined;
}

/** A reader of what is known that gives a function of it, the tensor or constants. */
function nextFunction(known: ReadonlyMap<Value, ElementFunction>, done: readonly Node[]) {
  for (const value of known.keys()) {
    for (const { node } of value.uses) {
      if (done.includes(node)) continue;
      const of = functionOf(node, known);
      const output = node.outputs[0];
      if (of && output) return { node, of, output };
    }
  }
  return undefined;
}

function functionOf(node: Node, known: ReadonlyMap<Value, ElementFunction>): ElementFunction | undefined {
  const [first, second] = node.inputs;
  const unary = unaryFunction(node);
  if (unary) {
    const inner = first ? known.get(first) : undefined;
    return inner && ((x) => unary(inner(x)));
  }
  const binary = binaryFunction(node);
  const [a, b] = [operand(first, known), operand(second, known)];
  return binary && a && b && ((x) => binary(a(x), b(x)));
}

/** A function of the tensor, or a constant of one element. */
function operand(value: Value | null | undefined, known: ReadonlyMap<Value, ElementFunction>) {
  if (!value) return undefined;
  const only = value.constant?.size === 1 ? value.constant.numbers?.[0] : undefined;
  return only === undefined ? known.get(value) : () => only;
}

function nameOf(nodes: readonly Node[]): string {
  const [gate, product] = nodes.map(({ opType }) => opType);
  if (nodes.length === 2 && product === "Mul") return `x * ${gate}`;
  return nodes.map(({ opType }) => opType).join(", ");
}
