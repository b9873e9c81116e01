/** The part of a model that some of its values depend on, as a model of its own; tensors are shared, not copied. */
import { Graph, Model, type Node, type Value } from "../../ir/graph.ts";

/** `names` become the outputs. All inputs of the model stay, so that the same feeds fit. */
export function extract(model: Model, names: readonly string[]): Model {
  const graph = new Graph(model.graph.name);
  const copy = new Model(graph);
  copy.irVersion = model.irVersion;
  for (const [domain, version] of model.opsetImports) copy.opsetImports.set(domain, version);
  const wanted = names.map((name) => valueNamed(model, name));
  const nodes = nodesBehind(wanted);
  const copies = new Map<Value, Value>();
  const copyOf = (value: Value): Value => {
    const known = copies.get(value);
    if (known) return known;
    const made = graph.addValue(value.name, value.type);
    made.initializer = value.initializer;
    copies.set(value, made);
    return made;
  };
  for (const input of model.graph.feeds) graph.listInput(copyOf(input));
  for (const node of model.graph.nodes) {
    if (!nodes.has(node)) continue;
    graph.addNode({
      opType: node.opType,
      domain: node.domain,
      name: node.name,
      inputs: node.inputs.map((value) => value && copyOf(value)),
      outputs: node.outputs.map((value) => (value ? copyOf(value) : "")),
      attributes: Object.fromEntries(node.attributes),
    });
  }
  for (const value of wanted) graph.addOutput(copyOf(value));
  return copy;
}

function valueNamed(model: Model, name: string): Value {
  const value = model.graph.values.get(name);
  if (!value) throw new Error(`the model has no value "${name}"`);
  return value;
}

function nodesBehind(values: readonly Value[]): ReadonlySet<Node> {
  const nodes = new Set<Node>();
  const stack = values.flatMap((value) => value.producer ?? []);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (nodes.has(node)) continue;
    nodes.add(node);
    for (const value of node.inputs) if (value?.producer) stack.push(value.producer);
  }
  return nodes;
}
