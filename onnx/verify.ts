/**
 * Whether a graph holds together: single assignment, unique names, topological order, every read written, uses that match
 * the inputs, initializers of the type their values have. The runner of passes asks after each pass.
 */
import type { Graph, Model, Node, Value } from "./ir/graph.ts";

export interface ModelProblem {
  readonly code: "duplicate-name" | "missing-value" | "not-in-graph" | "order" | "uses" | "initializer-type";
  /** The ONNX node, as `nodeLabel` calls it. */
  readonly node?: string;
  readonly value?: string;
  readonly message: string;
  readonly fix: string;
}

/** All problems, empty for a sound model. Linear in nodes, values and uses. */
export function verifyModel(model: Model): readonly ModelProblem[] {
  const verifier = new Verifier();
  verifier.graph(model.graph, new Set());
  verifier.reads();
  return verifier.problems;
}

/** What a message calls a node. */
export function nodeLabel(node: Node): string {
  return node.name ? `${node.opType} "${node.name}"` : `${node.opType} writing "${node.outputs[0]?.name ?? ""}"`;
}

const PASS_FIX = "This is a fault of the pass that ran last; report it with the model and the pass's name.";

class Verifier {
  readonly problems: ModelProblem[] = [];
  /** How often each value is read, to be held against its uses. */
  readonly #reads = new Map<Value, number>();

  /** `outer`: values of the graphs around this one that are written before it. */
  graph(graph: Graph, outer: ReadonlySet<Value>): void {
    const written = new Set(outer);
    for (const [name, value] of graph.values) {
      this.#value(name, value);
      if (value.initializer || value.sparse || value.isGraphInput) written.add(value);
    }
    const own = new Set(graph.nodes);
    for (const node of graph.nodes) {
      if (node.graph !== graph) this.#report("not-in-graph", `${nodeLabel(node)} belongs to another graph`, { node });
      for (const [index, value] of node.inputs.entries()) {
        if (!value) continue;
        this.#reads.set(value, (this.#reads.get(value) ?? 0) + 1);
        if (!written.has(value)) this.#unwritten(node, index, value, own);
      }
      for (const sub of node.subgraphs) this.graph(sub, written);
      for (const out of node.outputs) if (out) this.#output(node, out, written);
    }
    for (const value of graph.outputs) {
      if (written.has(value)) continue;
      this.#report("missing-value", `nothing writes the output "${value.name}"`, {
        value,
        fix: "Take the output off the graph's list, or keep the node that writes it.",
      });
    }
  }

  /** Holds each value's uses against what the nodes read. */
  reads(): void {
    for (const [value, count] of this.#reads) {
      const seen = new Map<Node, Set<number>>();
      let sound = 0;
      for (const { node, index } of value.uses) {
        const indices = seen.get(node) ?? new Set();
        if (node.inputs[index] === value && !indices.has(index)) sound++;
        seen.set(node, indices.add(index));
      }
      if (sound === count && value.uses.length === count) continue;
      this.#report("uses", `"${value.name}" is read ${count} times but knows of ${value.uses.length} uses`, { value });
    }
  }

  #value(name: string, value: Value): void {
    if (value.name !== name) {
      this.#report("duplicate-name", `the value "${value.name}" is kept under the name "${name}"`, { value });
    }
    if (value.uses.length > 0 && !this.#reads.has(value)) this.#reads.set(value, 0);
    const tensor = value.initializer;
    if (!tensor) return;
    if (value.producer) {
      this.#report("duplicate-name", `"${name}" is an initializer and ${nodeLabel(value.producer)} writes it`, {
        value,
        fix: "Give one of the two another name.",
      });
    }
    const { type } = value;
    // A file may say otherwise where it lists an initializer among its inputs or outputs.
    if (!type || value.isGraphInput || value.isGraphOutput) return;
    const sameShape = !type.shape || String(type.shape) === String(tensor.dims);
    if (type.elemType === tensor.dataType && sameShape) return;
    this.#report("initializer-type", `"${name}" has another type than its tensor`, { value });
  }

  #output(node: Node, value: Value, written: Set<Value>): void {
    if (value.producer !== node || written.has(value)) {
      this.#report("duplicate-name", `"${value.name}" is written by ${nodeLabel(node)} and before it`, {
        node,
        value,
        fix: "A value has one writer; rename one of the two.",
      });
    }
    if (node.graph.values.get(value.name) !== value) {
      const message = `"${value.name}", which ${nodeLabel(node)} writes, is not among the graph's values`;
      this.#report("not-in-graph", message, { node, value });
    }
    written.add(value);
  }

  #unwritten(node: Node, index: number, value: Value, own: ReadonlySet<Node>): void {
    const what = `input ${index} of ${nodeLabel(node)}, "${value.name}",`;
    if (value.producer && own.has(value.producer)) {
      this.#report("order", `${what} is written by a node that stands behind it, or in a cycle with it`, {
        node,
        value,
        fix: "Sort the nodes topologically; a cycle cannot be run at all.",
      });
    } else {
      this.#report("missing-value", `${what} is written by nothing before it`, {
        node,
        value,
        fix: "Feed it as a graph input, or add the initializer or node that writes it.",
      });
    }
  }

  #report(
    code: ModelProblem["code"],
    message: string,
    about: { readonly node?: Node; readonly value?: Value; readonly fix?: string },
  ): void {
    this.problems.push({
      code,
      ...(about.node && { node: nodeLabel(about.node) }),
      ...(about.value && { value: about.value.name }),
      message,
      fix: about.fix ?? PASS_FIX,
    });
  }
}
