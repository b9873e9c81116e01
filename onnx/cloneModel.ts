/** A copy of a model that passes can change while the original stays: structure copied, tensors (immutable) shared. */
import { type Attribute, Graph, Model, type Node, type Value } from "./ir/graph.ts";
import { GraphRecord } from "./serde/graphRecord.ts";

export function cloneModel(model: Model): Model {
  const copy = new Model(cloneGraph(model.graph, undefined, new Map()));
  copy.irVersion = model.irVersion;
  copy.producerName = model.producerName;
  copy.origin = model.origin;
  copy.functions.push(...model.functions);
  for (const [domain, version] of model.opsetImports) copy.opsetImports.set(domain, version);
  for (const [key, value] of model.metadata) copy.metadata.set(key, value);
  return copy;
}

/** `copies`: original value to its copy, of this graph and those around it. */
function cloneGraph(graph: Graph, parent: Graph | undefined, copies: Map<Value, Value>): Graph {
  const copy = new Graph(graph.name, parent);
  for (const value of graph.values.values()) {
    const twin = copy.addValue(value.name, value.type);
    twin.initializer = value.initializer;
    twin.sparse = value.sparse;
    twin.origin = value.origin;
    copies.set(value, twin);
  }
  for (const value of graph.inputs) copy.listInput(copyOf(value, copies));
  for (const node of graph.nodes) cloneNode(node, copy, copies);
  for (const value of graph.outputs) copy.addOutput(copyOf(value, copies));
  copy.origin = graph.origin instanceof GraphRecord ? graph.origin.ofCopies(copies) : graph.origin;
  return copy;
}

function cloneNode(node: Node, graph: Graph, copies: Map<Value, Value>): void {
  const twin = graph.addNode({
    name: node.name,
    opType: node.opType,
    domain: node.domain,
    inputs: node.inputs.map((value) => value && copyOf(value, copies)),
    outputs: node.outputs.map((value) => (value ? copyOf(value, copies) : "")),
  });
  twin.origin = node.origin;
  for (const [name, attribute] of node.attributes) twin.attributes.set(name, cloneAttribute(attribute, graph, copies));
}

function cloneAttribute(attribute: Attribute, graph: Graph, copies: Map<Value, Value>): Attribute {
  if (attribute.type === "graph") return { ...attribute, value: cloneGraph(attribute.value, graph, copies) };
  if (attribute.type === "graphs") {
    return { ...attribute, value: attribute.value.map((inner) => cloneGraph(inner, graph, copies)) };
  }
  return attribute;
}

function copyOf(value: Value, copies: ReadonlyMap<Value, Value>): Value {
  const copy = copies.get(value);
  if (!copy) throw new Error(`"${value.name}" is read but is no value of the graph or of one around it`);
  return copy;
}
