/** What a rewrite rule is, and what its siblings share. Each rule's file opens with the algebra of the rewrite. */
import type { Evaluator } from "../../evaluator.ts";
import type { Graph, Node, Value } from "../../ir/graph.ts";
import type { Elements } from "../../ops/op.ts";

export interface RuleScope {
  /** One graph of the model: the main one or a body of If, Loop or Scan. Types are inferred. */
  readonly graph: Graph;
  /** Version of the ai.onnx operator set. */
  readonly opset: number;
  readonly evaluator?: Evaluator;
  readonly signal?: AbortSignal;
  /** Elements of a small value that shape inference worked out; an entry that is no number is not known. */
  elements(value: Value): Elements | undefined;
  /** Why the rule leaves a node that it looked at alone. */
  note(node: Node, reason: string): void;
}

export interface Rule {
  /** kebab-case, as reports count it. */
  readonly name: string;
  /** Rewrites what it can; returns how often. */
  apply(scope: RuleScope): number | Promise<number>;
}

/** Applies `rewrite` to every node that is still in the graph when its turn comes; true counts. */
export async function forEachNode(graph: Graph, rewrite: (node: Node) => boolean | Promise<boolean>): Promise<number> {
  let count = 0;
  for (const node of [...graph.nodes]) {
    if (node.outputs.every((out) => out?.producer !== node)) continue;
    if (await rewrite(node)) count++;
  }
  return count;
}

/** An operator of ai.onnx itself. */
export function isOp(node: Node, ...opTypes: readonly string[]): boolean {
  return (node.domain === "" || node.domain === "ai.onnx") && opTypes.includes(node.opType);
}

/** The node that writes a value, where it is one of these operators in the same graph. */
export function writerOf(value: Value | null | undefined, ...opTypes: readonly string[]): Node | undefined {
  const node = value?.producer;
  return node && node.graph === value.graph && isOp(node, ...opTypes) ? node : undefined;
}

/** The one node that reads a value, where nothing else needs it: not a graph output, not read by another graph. */
export function onlyReader(value: Value): Node | undefined {
  const use = value.uses[0];
  if (value.uses.length !== 1 || value.isGraphOutput || use?.node.graph !== value.graph) return undefined;
  return use.node;
}

/** Lets the readers of a node's first output read `by`, and drops the node; false where an output's name forbids it. */
export function bypass(node: Node, by: Value): boolean {
  const out = node.output();
  if (node.outputs.slice(1).some((extra) => extra && (extra.uses.length > 0 || extra.isGraphOutput))) return false;
  if (!out.graph.replaceAllUses(out, by)) return false;
  node.graph.removeNode(node);
  return true;
}

export function sameShape(a: Value, b: Value): boolean {
  const [x, y] = [a.shape, b.shape];
  return (
    x !== undefined && y !== undefined && x.length === y.length && x.every((dim, i) => dim !== null && dim === y[i])
  );
}

/**
 * Adding a number this large is how graphs round (x + 1.5 * 2^23 is a whole number, x + 1.5 * 2^15 one of 256ths): within
 * another sum it would round something else. Biases stay far below.
 */
export function roundsOnPurpose(summand: number): boolean {
  return Math.abs(summand) >= 2 ** 12;
}

/** The shape as numbers; undefined where one is not. */
export function staticShape(value: Value): readonly number[] | undefined {
  const dims = value.shape?.filter((dim) => typeof dim === "number");
  return dims && dims.length === value.shape?.length ? dims : undefined;
}
