/**
 * Two versions of a model as one graph that computes what both do: what they share (weights, and nodes that compute the
 * same from the same) stands in it once, so that comparing them costs little more than running one.
 */
import { Graph, Model, type Node, type Value } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { EqualTensors } from "./equalTensors.ts";
import { nodeKey } from "./nodeKey.ts";

export interface JointModel {
  readonly model: Model;
  /** Names in `model` of the values that each graph output is, by its name, of the reference and of the candidate. */
  readonly reference: ReadonlyMap<string, string>;
  readonly candidate: ReadonlyMap<string, string>;
}

/** Undefined where the two differ in more than their nodes, or hold more than plain nodes (bodies, functions). */
export async function joinModels(reference: Model, candidate: Model): Promise<JointModel | undefined> {
  if (![reference, candidate].every(isPlain) || !sameInterface(reference, candidate)) return undefined;
  const joint = new Joint(await equalConstants([reference.graph, candidate.graph]));
  for (const { name, type } of reference.graph.feeds) joint.graph.addInput(name, type);
  const expected = joint.add(reference.graph);
  const actual = joint.add(candidate.graph);
  const outputs = [...expected, ...actual];
  if (outputs.some((value) => !value.producer)) return undefined;
  for (const value of new Set(outputs)) joint.graph.addOutput(value);
  const model = new Model(joint.graph);
  model.irVersion = Math.max(reference.irVersion, candidate.irVersion, IR_WITH_CONSTANTS);
  for (const { opsetImports } of [reference, candidate])
    for (const [domain, version] of opsetImports) model.opsetImports.set(domain, version);
  return { model, reference: namesOf(reference.graph, expected), candidate: namesOf(candidate.graph, actual) };
}

function namesOf({ outputs }: Graph, standing: readonly Value[]): ReadonlyMap<string, string> {
  return new Map(outputs.map(({ name }, i) => [name, standing[i]?.name ?? name]));
}

/** From here on an initializer need be no input. */
const IR_WITH_CONSTANTS = 4;

function isPlain({ graph, functions }: Model): boolean {
  if (functions.length > 0 || [...graph.values.values()].some(({ sparse }) => sparse)) return false;
  return graph.nodes.every((node) => [...node.attributes.values()].every(({ type }) => !BODIES.has(type)));
}

const BODIES: ReadonlySet<string> = new Set(["graph", "graphs", "opaque"]);

function sameInterface(a: Model, b: Model): boolean {
  const [names, others] = [a, b].map(({ graph }) => new Set(graph.feeds.map(({ name }) => name)));
  if (!names || !others || names.size !== others.size || [...others].some((name) => !names.has(name))) return false;
  return [...b.opsetImports].every(([domain, version]) => (a.opsetImports.get(domain) ?? version) === version);
}

/** For each constant the first that holds the same. */
async function equalConstants(graphs: readonly Graph[]): Promise<ReadonlyMap<Tensor, Tensor>> {
  const equal = new EqualTensors();
  const firsts = new Map<Tensor, Tensor>();
  for (const graph of graphs) {
    for (const { constant } of graph.values.values()) if (constant) firsts.set(constant, await equal.first(constant));
  }
  return firsts;
}

class Joint {
  readonly graph = new Graph("joint");
  readonly #constants = new Map<Tensor, Value>();
  readonly #nodes = new Map<string, Node>();
  readonly #names = new Set<string>();

  constructor(private readonly firsts: ReadonlyMap<Tensor, Tensor>) {}

  /** Values that stand for the outputs of `graph`, whose nodes are in order. */
  add(graph: Graph): readonly Value[] {
    const standing = new Map<Value, Value>();
    for (const value of graph.feeds) {
      const input = this.graph.values.get(value.name);
      if (input) standing.set(value, input);
    }
    const find = (value: Value): Value => {
      const found = standing.get(value) ?? (value.constant && this.#constant(value.name, value.constant));
      if (!found) throw new Error(`"${value.name}" is read before it is written`);
      standing.set(value, found);
      return found;
    };
    for (const node of graph.nodes) {
      if (node.outputs.every((out) => out?.constant)) continue;
      const [input] = node.inputs;
      if (node.opType === "Identity" && node.domain === "" && input) {
        // Exporters name one weight many times by it.
        standing.set(node.output(), find(input));
        continue;
      }
      const twin = this.#node(node, find);
      for (const [i, out] of node.outputs.entries()) {
        const stands = twin.outputs[i];
        if (out && stands) standing.set(out, stands);
      }
    }
    return graph.outputs.map(find);
  }

  #constant(name: string, constant: Tensor): Value {
    const tensor = this.firsts.get(constant) ?? constant;
    const found = this.#constants.get(tensor) ?? this.graph.addInitializer(name, tensor);
    this.#constants.set(tensor, found);
    return found;
  }

  #node(node: Node, find: (value: Value) => Value): Node {
    const key = nodeKey(node, (value) => find(value).name);
    const found = key === undefined ? undefined : this.#nodes.get(key);
    if (found) return found;
    const { graph } = this;
    const added = graph.addNode({
      // Taken once, since runtimes refuse it twice.
      name: this.#names.has(node.name) ? "" : node.name,
      opType: node.opType,
      domain: node.domain,
      inputs: node.inputs.map((value) => value && find(value)),
      outputs: node.outputs.map((value) => (value ? graph.freshName(value.name) : "")),
    });
    for (const [name, attribute] of node.attributes) added.attributes.set(name, attribute);
    this.#names.add(node.name);
    if (key !== undefined) this.#nodes.set(key, added);
    return added;
  }
}
