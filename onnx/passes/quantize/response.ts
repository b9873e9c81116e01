/**
 * What happens to a tensor next: where one function alone reads it (Sigmoid, HardSwish, or x * Sigmoid(x), which is
 * SiLU), an error in the tensor matters only as far as the function lets it through. A range chosen by the error after
 * the function cuts off what the function flattens anyway.
 */
import type { Node, Value } from "../../ir/graph.ts";
import { quantizeRuleOf, soleReader } from "./layers.ts";

export interface Response {
  /** For reports: `Sigmoid`, `x * Sigmoid`. */
  readonly name: string;
  readonly of: (x: number) => number;
  /** What the function gives. */
  readonly output: Value;
}

/** Undefined where the tensor is read as it is, or by several readers that no single function sums up. */
export function responseAfter(value: Value): Response | undefined {
  if (value.isGraphOutput) return undefined;
  const sole = soleReader(value);
  if (sole) return elementwise(sole);
  return gated(value);
}

function elementwise(node: Node): Response | undefined {
  const rule = quantizeRuleOf(node);
  const of = rule?.kind === "elementwise" ? rule.response(node) : undefined;
  return of && { name: node.opType, of, output: node.output() };
}

/** x * g(x): two readers, of which one multiplies x with what the other gives. */
function gated(value: Value): Response | undefined {
  if (value.uses.length !== 2) return undefined;
  const product = value.uses.find((use) => use.node.opType === "Mul")?.node;
  const gateNode = value.uses.find((use) => use.node !== product)?.node;
  if (!product || !gateNode || soleReader(gateNode.output()) !== product) return undefined;
  const gate = elementwise(gateNode);
  return gate && { name: `x * ${gate.name}`, of: (x) => x * gate.of(x), output: product.output() };
}
