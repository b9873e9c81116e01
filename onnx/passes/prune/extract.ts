/** The part of a model that some of its values depend on, as a model of its own; tensors are shared, not copied. */
import type { Attribute } from "../../ir/attribute.ts";
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
  const copier = new Copier(model.graph, graph);
  for (const input of inputs) graph.listInput(copier.value(input));
  for (const node of model.graph.nodes) if (nodes.has(node)) copier.node(node, graph);
  for (const value of outputs) graph.addOutput(copier.value(value));
  return copy;
}

/** Inner graphs are copied too: they read the copies of what they read outside. */
class Copier {
  readonly #values = new Map<Value, Value>();
  readonly #graphs = new Map<Graph, Graph>();

  constructor(from: Graph, to: Graph) {
    this.#graphs.set(from, to);
  }

  value(value: Value): Value {
    const known = this.#values.get(value);
    if (known) return known;
    const graph = this.#graphs.get(value.graph);
    if (!graph) throw new Error(`"${value.name}" is of another graph`);
    const made = graph.addValue(value.name, value.type);
    made.initializer = value.initializer;
    this.#values.set(value, made);
    return made;
  }

  node(node: Node, into: Graph): void {
    into.addNode({
      opType: node.opType,
      domain: node.domain,
      name: node.name,
      inputs: node.inputs.map((value) => value && this.value(value)),
      outputs: node.outputs.map((value) => (value ? this.value(value) : "")),
      attributes: Object.fromEntries([...node.attributes].map(([name, a]) => [name, this.#attribute(a, into)])),
    });
  }

  #attribute(attribute: Attribute, around: Graph): Attribute {
    if (attribute.type === "graph") return { type: "graph", value: this.#graph(attribute.value, around) };
    if (attribute.type !== "graphs") return attribute;
    return { type: "graphs", value: attribute.value.map((inner) => this.#graph(inner, around)) };
  }

  #graph(inner: Graph, around: Graph): Graph {
    const made = new Graph(inner.name, around);
    this.#graphs.set(inner, made);
    for (const input of inner.inputs) made.listInput(this.value(input));
    for (const constant of inner.initializers) this.value(constant);
    for (const node of inner.nodes) this.node(node, made);
    for (const output of inner.outputs) made.addOutput(this.value(output));
    return made;
  }
}

function valueNamed(model: Model, name: string): Value {
  const value = model.graph.values.get(name);
  if (!value) throw new Error(`the model has no value "${name}"`);
  return value;
}

/** Nodes that the values need, those of inner graphs among them, but those in `done` and what only they need. */
export function nodesBehind(values: readonly Value[], done: ReadonlySet<Node> = new Set()): ReadonlySet<Node> {
  const nodes = new Set<Node>();
  const stack = values.flatMap((value) => value.producer ?? []);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (nodes.has(node) || done.has(node)) continue;
    nodes.add(node);
    for (const value of node.inputs) if (value?.producer) stack.push(value.producer);
    for (const inner of node.subgraphs) {
      stack.push(...inner.nodes);
      for (const value of inner.outputs) if (value.producer) stack.push(value.producer);
    }
  }
  return nodes;
}
