/**
 * Whether a graph holds together: single assignment, unique names, topological order, every read written, and uses that
 * match the inputs. The runner of passes asks after each pass; a loader asks before it trusts a file.
 */
import type { Graph, Model, Node, Value } from "./ir/graph.ts";

export interface ModelProblem {
  readonly code: "duplicate-name" | "missing-value" | "not-in-graph" | "order" | "cycle" | "uses" | "shape-mismatch";
  /** The ONNX node, by name, or by operator where it has none. */
  readonly node?: string;
  readonly value?: string;
  readonly message: string;
  readonly fix: string;
}

/** All problems, empty for a sound model. Linear in nodes and values. */
export function verifyModel(model: Model): readonly ModelProblem[] {
  const problems: ModelProblem[] = [];
  verifyGraph(model.graph, new Set(), problems);
  return problems;
}

/** The name a message calls a node by. */
export function nodeLabel(node: Node): string {
  return node.name ? `${node.opType} "${node.name}"` : `${node.opType} writing "${node.outputs[0]?.name ?? ""}"`;
}

const PASS_FIX = "This is a fault of the pass that ran last; report it with the model and the pass's name.";

/** `outer`: values of the graphs around this one that are written before it. */
function verifyGraph(graph: Graph, outer: ReadonlySet<Value>, problems: ModelProblem[]): void {
  const written = new Set(outer);
  for (const [name, value] of graph.values) {
    if (value.name !== name) {
      problems.push({
        code: "duplicate-name",
        value: name,
        message: `the value "${value.name}" is kept under the name "${name}"`,
        fix: PASS_FIX,
      });
    }
    if (value.initializer || value.sparse || value.isGraphInput) written.add(value);
    if (value.initializer && value.producer) {
      problems.push({
        code: "duplicate-name",
        value: name,
        message: `"${name}" is an initializer and is written by ${nodeLabel(value.producer)} too`,
        fix: "Give one of the two another name.",
      });
    }
    verifyUses(value, problems);
  }
  const order = new Map(graph.nodes.map((node, i) => [node, i]));
  for (const node of graph.nodes) verifyNode(node, { graph, written, order, problems });
  for (const out of graph.outputs) {
    if (written.has(out)) continue;
    problems.push({
      code: "missing-value",
      value: out.name,
      message: `nothing writes the output "${out.name}"`,
      fix: "Take the output off the graph's list, or keep the node that writes it.",
    });
  }
}

interface Scope {
  readonly graph: Graph;
  /** Grows with each node: what may be read at this point. */
  readonly written: Set<Value>;
  readonly order: ReadonlyMap<Node, number>;
  readonly problems: ModelProblem[];
}

function verifyNode(node: Node, scope: Scope): void {
  const { graph, written, problems } = scope;
  if (node.graph !== graph) {
    problems.push({
      code: "not-in-graph",
      node: nodeLabel(node),
      message: `${nodeLabel(node)} is listed in a graph that it does not belong to`,
      fix: PASS_FIX,
    });
  }
  for (const [i, value] of node.inputs.entries()) {
    if (value) verifyRead(node, i, value, scope);
  }
  for (const sub of node.subgraphs) verifyGraph(sub, written, problems);
  for (const out of node.outputs) {
    if (!out) continue;
    if (out.producer !== node || written.has(out)) {
      problems.push({
        code: "duplicate-name",
        node: nodeLabel(node),
        value: out.name,
        message: `"${out.name}" is written twice, by ${nodeLabel(node)} and before it`,
        fix: "A value has one writer; rename one of the two.",
      });
    }
    if (graph.values.get(out.name) !== out) {
      problems.push({
        code: "not-in-graph",
        node: nodeLabel(node),
        value: out.name,
        message: `"${out.name}", which ${nodeLabel(node)} writes, is not among the graph's values`,
        fix: PASS_FIX,
      });
    }
    written.add(out);
  }
}

function verifyRead(node: Node, index: number, value: Value, scope: Scope): void {
  const { problems } = scope;
  const about = { node: nodeLabel(node), value: value.name };
  if (!value.uses.some((use) => use.node === node && use.index === index)) {
    problems.push({
      ...about,
      code: "uses",
      message: `"${value.name}" does not know that ${about.node} reads it`,
      fix: PASS_FIX,
    });
  }
  if (scope.written.has(value)) return;
  const late = value.producer && value.graph === scope.graph && scope.order.has(value.producer);
  problems.push(
    late
      ? {
          ...about,
          code: "order",
          message: `${about.node} stands before the node that writes its input "${value.name}", or in a cycle with it`,
          fix: "Sort the nodes topologically; a cycle cannot be run at all.",
        }
      : {
          ...about,
          code: "missing-value",
          message: `nothing writes "${value.name}", which ${about.node} reads`,
          fix: "Feed it as a graph input, or add the initializer or node that writes it.",
        },
  );
}

function verifyUses(value: Value, problems: ModelProblem[]): void {
  for (const use of value.uses) {
    if (use.node.inputs[use.index] === value) continue;
    problems.push({
      code: "uses",
      node: nodeLabel(use.node),
      value: value.name,
      message: `"${value.name}" is said to be input ${use.index} of ${nodeLabel(use.node)}, which reads something else`,
      fix: PASS_FIX,
    });
  }
}
