/** A text equal for nodes that compute the same: the same operator, attributes and inputs. */
import type { Attribute, Node, Value } from "../ir/graph.ts";

/** Operators whose result is not a function of their inputs. */
const RANDOM = ["RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"];

/** Undefined where two nodes cannot be told equal cheaply, or would not compute the same twice. */
export function nodeKey(node: Node, inputKey: (value: Value) => string): string | undefined {
  if (!isDeterministic(node)) return undefined;
  const attributes: string[] = [];
  for (const [name, attribute] of [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = attributeKey(attribute);
    if (key === undefined) return undefined;
    attributes.push(`${name}=${key}`);
  }
  const inputs = node.inputs.map((value) => (value ? inputKey(value) : ""));
  const outputs = node.outputs.map((value) => (value ? 1 : 0));
  return JSON.stringify([node.domain, node.opType, inputs, outputs, attributes]);
}

export function isDeterministic(node: Node): boolean {
  const isStandard = node.domain === "" || node.domain === "ai.onnx";
  if (isStandard && RANDOM.includes(node.opType)) return false;
  return !(isStandard && node.opType === "Dropout" && node.inputs[2]);
}

/** Undefined where attributes cannot be compared cheaply. */
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

/** JSON has no NaN, no infinity and no negative zero. */
function exact(value: number | string): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
