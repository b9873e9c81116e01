/**
 * Shape and type inference: gives every value of a model its type, from the graph's inputs and initializers on.
 *
 * Small integer tensors are evaluated along the way with symbols kept, so that the arithmetic exporters write around a
 * Reshape or an Expand resolves. An operator that is unknown, or a node that cannot be valid, is listed, its outputs keep
 * what was declared of them, and inference goes on.
 */
import { DataType } from "./ir/dataType.ts";
import type { Dim, Graph, Model, Node, Shape, TensorType, Value } from "./ir/graph.ts";
import { isKnown } from "./ops/dims.ts";
import { smallElements } from "./ops/elements.ts";
import { opDef } from "./ops/index.ts";
import { constantOf } from "./ops/misc.ts";
import { type Elements, type Inferred, ShapeError } from "./ops/op.ts";

export interface InferenceOptions {
  /**
   * What becomes of the types that values have already: "merge" (as read from a file) lets them fill in what inference
   * cannot know; "ignore" (after an edit) drops them, since they describe the graph as it was.
   */
  readonly declared?: "merge" | "ignore";
}

export interface UnknownNode {
  readonly node: Node;
  readonly opType: string;
  readonly reason: string;
}

/** A declared type that inference disagrees with; the inferred one stands. */
export interface Contradiction {
  readonly value: Value;
  readonly declared: TensorType;
  readonly inferred: TensorType;
}

export interface Inference {
  readonly unknown: readonly UnknownNode[];
  readonly contradictions: readonly Contradiction[];
  /** Elements of the small tensors that are known without running the model, symbols and nulls among them. */
  readonly elements: ReadonlyMap<Value, Elements>;
}

export function inferShapes(model: Model, options: InferenceOptions = {}): Inference {
  const state = new InferenceState(model, options.declared ?? "merge");
  state.infer(model.graph, []);
  return { unknown: state.unknown, contradictions: state.contradictions, elements: state.elements };
}

/** Loops within loops settle in far fewer; a hostile nest must not take for ever. */
const MAX_VISITS = 64;

class InferenceState {
  readonly unknown: UnknownNode[] = [];
  readonly contradictions: Contradiction[] = [];
  readonly elements = new Map<Value, Elements>();
  readonly #sequences = new Map<Value, TensorType>();
  readonly #constants = new Set<Value>();
  /** Bodies are inferred several times while a loop settles: the last word counts. */
  readonly #visits = new Map<Graph, number>();

  constructor(
    readonly model: Model,
    readonly declared: "merge" | "ignore",
  ) {}

  infer(graph: Graph, inputs: readonly Inferred[]): readonly Inferred[] {
    const visits = this.#visits.get(graph) ?? 0;
    this.#visits.set(graph, visits + 1);
    if (visits >= MAX_VISITS)
      return graph.outputs.map(({ type }) => (type ? { type: { elemType: type.elemType } } : {}));
    const again = visits > 0;
    for (const [i, value] of graph.inputs.entries()) {
      const known = inputs[i];
      if (known) this.#write(value, known, again);
    }
    for (const node of graph.nodes) this.#inferNode(node, again);
    return graph.outputs.map((value) => this.#read(value));
  }

  #inferNode(node: Node, again: boolean): void {
    const def = opDef(node.domain, node.opType);
    if (!def) {
      const name = node.domain ? `${node.domain}:${node.opType}` : node.opType;
      this.#list(node, `the operator ${name} is not known`);
      return;
    }
    try {
      const outputs = def.shape({
        node,
        opset: this.#opsetOf(node.domain),
        input: (index) => this.#read(node.inputs[index]),
        inferBody: (graph, inputs) => this.infer(graph, inputs),
      });
      for (const [i, value] of node.outputs.entries()) if (value) this.#write(value, outputs[i] ?? {}, again);
    } catch (error) {
      if (!(error instanceof ShapeError) && !(error instanceof RangeError)) throw error;
      this.#list(node, error.message);
    }
  }

  #opsetOf(domain: string): number {
    return domain === "" || domain === "ai.onnx" ? this.model.opset : (this.model.opsetImports.get(domain) ?? 1);
  }

  #list(node: Node, reason: string): void {
    if (!this.unknown.some((entry) => entry.node === node)) this.unknown.push({ node, opType: node.opType, reason });
    if (this.declared === "merge") return;
    for (const value of node.outputs) if (value?.type) value.type = { elemType: value.type.elemType };
  }

  #read(value: Value | null | undefined): Inferred {
    if (!value) return {};
    if (value.initializer && !this.#constants.has(value)) {
      this.#constants.add(value);
      this.#write(value, constantOf(value.initializer), false);
    }
    const elements = this.elements.get(value);
    const sequence = this.#sequences.get(value);
    return { ...(value.type && { type: value.type }), ...(elements && { elements }), ...(sequence && { sequence }) };
  }

  #write(value: Value, inferred: Inferred, again: boolean): void {
    const keepsDeclared = this.declared === "merge" && !again;
    if (inferred.type || !keepsDeclared) value.type = keepsDeclared ? this.#merge(value, inferred.type) : inferred.type;
    if (inferred.sequence) this.#sequences.set(value, inferred.sequence);
    const elements = smallElements(inferred.elements, value.type?.shape);
    if (elements) this.elements.set(value, elements);
    else this.elements.delete(value);
  }

  #merge(value: Value, inferred: TensorType | undefined): TensorType | undefined {
    const declared = value.type;
    if (!inferred || !declared) return inferred ?? declared;
    if (contradicts(declared, inferred)) {
      this.contradictions.push({ value, declared, inferred });
      return inferred;
    }
    const known = inferred.shape ?? declared.shape?.map(() => null);
    if (!known) return inferred;
    const shape = known.map((dim, i) => refined(dim, declared.shape?.[i] ?? null));
    return { elemType: inferred.elemType, shape };
  }
}

function contradicts(a: TensorType, b: TensorType): boolean {
  if (a.elemType !== b.elemType && a.elemType !== DataType.UNDEFINED) return true;
  return Boolean(a.shape && b.shape && shapesContradict(a.shape, b.shape));
}

function shapesContradict(a: Shape, b: Shape): boolean {
  return a.length !== b.length || a.some((dim, i) => isKnown(dim) && isKnown(b[i]) && dim !== b[i]);
}

/** A number says more than a symbol, a symbol more than nothing; symbols that a tool made up (`unk__3`) say nothing. */
function refined(inferred: Dim, declared: Dim): Dim {
  if (isKnown(inferred)) return inferred;
  if (isKnown(declared)) return declared;
  return inferred ?? (declared?.startsWith("unk__") ? null : declared);
}
