/** f(x), f(x) -> one f(x): two nodes with the same operator, attributes and inputs compute the same. */
import type { Attribute, Node } from "../../ir/graph.ts";
import { bypass, isDeterministic, type Rule } from "./rule.ts";

/** JSON has no NaN, no infinity and no negative zero. */
function exact(value: number | string): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A text equal for equal attributes; undefined where they cannot be compared cheaply. */
function attributeKey(attribute: Attribute): string | undefined {
  switch (attribute.type) {
    case "float":
    case "int":
    case "string":
      return JSON.stringify([attribute.type, exact(attribute.value)]);
    case "floats":
    case "ints":
    case "strings":
      return JSON.stringify([attribute.type, attribute.value.map(exact)]);
    case "tensor": {
      const numbers = attribute.value.size <= 64 ? attribute.value.numbers : undefined;
      return numbers && JSON.stringify([attribute.value.dataType, attribute.value.dims, numbers.map(exact)]);
    }
    default:
      return undefined;
  }
}

function nodeKey(node: Node): string | undefined {
  if (!isDeterministic(node)) return undefined;
  const attributes: string[] = [];
  for (const [name, attribute] of [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = attributeKey(attribute);
    if (key === undefined) return undefined;
    attributes.push(`${name}=${key}`);
  }
  const inputs = node.inputs.map((value) => (value ? value.name : ""));
  const outputs = node.outputs.map((value) => (value ? 1 : 0));
  return JSON.stringify([node.domain, node.opType, inputs, outputs, attributes]);
}

export const mergeCommonSubexpressions: Rule = {
  name: "merge-common-subexpressions",
  apply({ graph, note }) {
    const seen = new Map<string, Node>();
    let count = 0;
    for (const node of [...graph.nodes]) {
      const key = nodeKey(node);
      const twin = key === undefined ? undefined : seen.get(key);
      if (key === undefined) continue;
      if (!twin) seen.set(key, node);
      else if (mergeInto(node, twin)) count++;
      else note(node, "computes what another node does, but is a graph output too");
    }
    return count;
  },
};

function mergeInto(node: Node, twin: Node): boolean {
  if (node.outputs.length === 1) return bypass(node, twin.output());
  if (node.outputs.some((out) => out?.isGraphOutput)) return false;
  for (const [i, out] of node.outputs.entries()) {
    const by = twin.outputs[i];
    if (out && by) node.graph.replaceAllUses(out, by);
  }
  node.graph.removeNode(node);
  return true;
}
