/** The part of a model that some of its values depend on, as a model of its own; tensors are shared, not copied. */
import { Graph, Model, type Node, type Value } from "../../ir/graph.ts";

/** `names` become the outputs. All inputs of the model stay, so that the same feeds fit. */
export function extract(model: Model, names: readonly string[]): Model {
  const wanted = names.map((name) => valueNamed(model, name));
  return copyOf(model, { inputs: model.graph.feeds, nodes: nodesBehind(wanted), outputs: wanted });
}

export interface Part {
  readonly inputs: readonly Value[];
  readonly nodes: ReadonlySet<Node>;
  readonly outputs: readonly Value[];
}

/** These nodes as a model; what they read is an input, a constant or written by one of them. */
export function copyOf(model: Model, { inputs, nodes, outputs }: Part): Model {
  const graph = new Graph(model.graph.name);
  const copy = new Model(graph);
  copy.irVersion = model.irVersion;
  for (const [domain, version] of model.opsetImports) copy.opsetImports.set(domain, version);
  const copies = new Map<Value, Value>();
  const copied = (value: Value): Value => {
    const known = copies.get(value);
    if (known) return known;
    const made = graph.addValue(value.name, value.type);
    made.initializer = value.initializer;
    copies.set(value, made);
    return made;
  };
  for (const input of inputs) graph.listInput(copied(input));
  for (const node of model.graph.nodes) {
    if (!nodes.has(node)) continue;
    graph.addNode({
      opType: node.opType,
      domain: node.domain,
      name: node.name,
      inputs: node.inputs.map((value) => value && copied(value)),
      outputs: node.outputs.map((value) => (value ? copied(value) : "")),
      attributes: Object.fromEntries(node.attributes),
    });
  }
  for (const value of outputs) graph.addOutput(copied(value));
  return copy;
}

function valueNamed(model: Model, name: string): Value {
  const value = model.graph.values.get(name);
  if (!value) throw new Error(`the model has no value "${name}"`);
  return value;
}

/** Nodes that the values need, but those in `done` and what only they need. */
export function nodesBehind(values: readonly Value[], done: ReadonlySet<Node> = new Set()): ReadonlySet<Node> {
  const nodes = new Set<Node>();
  const stack = values.flatMap((value) => value.producer ?? []);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (nodes.has(node) || done.has(node)) continue;
    nodes.add(node);
    for (const value of node.inputs) if (value?.producer) stack.push(value.producer);
  }
  return nodes;
}
