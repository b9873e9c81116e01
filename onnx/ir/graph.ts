/**
 * The graph in memory: values that know their producer and their uses, nodes that know their values.
 *
 * Terminology (ONNX's own words): a *value* is a named edge of the graph; a *node* applies an operator to values;
 * an *initializer* is a value with a constant tensor; an *opset import* names the operator set a model is written in.
 * Nothing here knows protobuf: `serde.ts` alone converts. What the IR has no word for travels along in `origin`.
 */
import { type Attribute, type AttributeInput, attributeFrom } from "./attribute.ts";
import type { Tensor } from "./tensor.ts";
import { topologicalOrder } from "./topologicalOrder.ts";

export type { Attribute, AttributeInput } from "./attribute.ts";

/** A fixed size, a symbol (`"batch"`), or null where nothing is known. */
export type Dim = number | string | null;
export type Shape = readonly Dim[];
export interface TensorType {
  readonly elemType: number;
  /** Absent where even the rank is unknown. */
  readonly shape?: Shape;
}

export interface Use {
  readonly node: Node;
  readonly index: number;
}

export class Value {
  type: TensorType | undefined;
  /** The constant, where this value is an initializer. */
  initializer: Tensor | undefined;
  /** The node that writes this value; undefined for graph inputs and initializers. */
  producer: Node | undefined;
  /** Who reads this value, nodes of inner graphs (If, Loop, Scan) included. */
  readonly uses: Use[] = [];
  /** Kept by `Graph`: whether its graph lists it as an input. */
  isGraphInput = false;
  /** Kept by `Graph`: the graphs that list it as an output, once for each time; an inner graph may list an outer value. */
  readonly outputOf: Graph[] = [];
  /** The ValueInfoProto this was read from, for what the IR has no word for. */
  origin: unknown;
  /** The SparseTensorProto, where this value is a sparse initializer: kept as read, never interpreted. */
  sparse: unknown;

  constructor(
    public name: string,
    readonly graph: Graph,
  ) {}

  get shape(): Shape | undefined {
    return this.type?.shape;
  }
  get isGraphOutput(): boolean {
    return this.outputOf.length > 0;
  }
  /** The initializer, or the tensor of the `Constant` node that writes this value. */
  get constant(): Tensor | undefined {
    if (this.initializer) return this.initializer;
    if (this.producer?.opType !== "Constant" || this.producer.domain !== "") return undefined;
    return this.producer.tensor("value");
  }
}

export interface NodeSpec {
  readonly opType: string;
  readonly inputs: readonly (Value | null)[];
  /** Names of the outputs, or existing values without a producer; "" for an omitted one. */
  readonly outputs: readonly (string | Value)[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
}

export class Node {
  readonly attributes = new Map<string, Attribute>();
  readonly #inputs: (Value | null)[] = [];
  readonly #outputs: (Value | null)[] = [];
  /** The NodeProto this was read from, for what the IR has no word for (doc_string, metadata_props, overload). */
  origin: unknown;

  constructor(
    readonly graph: Graph,
    public name: string,
    public opType: string,
    public domain: string,
  ) {}

  /** Null where an optional input is omitted. */
  get inputs(): readonly (Value | null)[] {
    return this.#inputs;
  }
  get outputs(): readonly (Value | null)[] {
    return this.#outputs;
  }

  /** Sets, appends (index == length) or clears (null) one input and keeps the uses true. */
  setInput(index: number, value: Value | null): void {
    const old = this.#inputs[index];
    if (old) {
      const at = old.uses.findIndex((use) => use.node === this && use.index === index);
      old.uses.splice(at, 1);
    }
    while (this.#inputs.length < index) this.#inputs.push(null);
    this.#inputs[index] = value;
    value?.uses.push({ node: this, index });
  }

  /** Drops the inputs from `length` on. */
  truncateInputs(length: number): void {
    for (let i = this.#inputs.length - 1; i >= length; i--) this.setInput(i, null);
    this.#inputs.length = Math.min(this.#inputs.length, length);
  }

  setOutput(index: number, value: Value | null): void {
    const old = this.#outputs[index];
    if (old === value && value) return;
    if (value?.producer)
      throw new Error(`${value.name} is written by ${value.producer.name || value.producer.opType} already`);
    if (old) old.producer = undefined;
    while (this.#outputs.length < index) this.#outputs.push(null);
    this.#outputs[index] = value;
    if (value) value.producer = this;
  }

  /** The i-th input; throws with the node's name where it is missing. */
  input(index: number): Value {
    const value = this.#inputs[index];
    if (!value) throw new Error(`${this.opType} "${this.name}" has no input ${index}`);
    return value;
  }
  output(index = 0): Value {
    const value = this.#outputs[index];
    if (!value) throw new Error(`${this.opType} "${this.name}" has no output ${index}`);
    return value;
  }

  set(name: string, value: AttributeInput): void {
    this.attributes.set(name, attributeFrom(value));
  }
  int(name: string): number | undefined {
    const a = this.attributes.get(name);
    return a?.type === "int" ? a.value : undefined;
  }
  float(name: string): number | undefined {
    const a = this.attributes.get(name);
    return a?.type === "float" ? a.value : undefined;
  }
  string(name: string): string | undefined {
    const a = this.attributes.get(name);
    return a?.type === "string" ? a.value : undefined;
  }
  ints(name: string): readonly number[] | undefined {
    const a = this.attributes.get(name);
    return a?.type === "ints" ? a.value : undefined;
  }
  floats(name: string): readonly number[] | undefined {
    const a = this.attributes.get(name);
    return a?.type === "floats" ? a.value : undefined;
  }
  tensor(name: string): Tensor | undefined {
    const a = this.attributes.get(name);
    return a?.type === "tensor" ? a.value : undefined;
  }
  /** The graphs among the attributes (If, Loop, Scan). */
  get subgraphs(): readonly Graph[] {
    const graphs: Graph[] = [];
    for (const a of this.attributes.values()) {
      if (a.type === "graph") graphs.push(a.value);
      if (a.type === "graphs") graphs.push(...a.value);
    }
    return graphs;
  }
}

export class Graph {
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  /** In file order, which is topological in a valid model; `sortTopologically` restores it. */
  nodes: Node[] = [];
  readonly values = new Map<string, Value>();
  origin: unknown;

  constructor(
    public name: string,
    /** The graph around an If, Loop or Scan body, whose values the body may read. */
    readonly parent?: Graph,
  ) {}

  get inputs(): readonly Value[] {
    return this.#inputs;
  }
  get outputs(): readonly Value[] {
    return this.#outputs;
  }
  /** Inputs a caller must feed: those without an initializer (files of IR < 4 list initializers as inputs too). */
  get feeds(): readonly Value[] {
    return this.inputs.filter((value) => !value.initializer);
  }
  get initializers(): readonly Value[] {
    return [...this.values.values()].filter((value) => value.initializer);
  }

  /** A value of this graph or of one around it. */
  find(name: string): Value | undefined {
    return this.values.get(name) ?? this.parent?.find(name);
  }

  /** A new value; throws where the name is taken. */
  addValue(name: string, type?: TensorType): Value {
    if (this.values.has(name)) throw new Error(`the graph has a value named "${name}" already`);
    const value = new Value(name, this);
    value.type = type;
    this.values.set(name, value);
    return value;
  }

  addInput(name: string, type?: TensorType): Value {
    return this.listInput(this.addValue(name, type));
  }

  /** Lists a value that exists (an initializer of an old file) as an input too. */
  listInput(value: Value): Value {
    if (value.isGraphInput) throw new Error(`"${value.name}" is an input already`);
    value.isGraphInput = true;
    this.#inputs.push(value);
    return value;
  }

  /** Takes a value off the list of inputs; it stays in the graph. */
  unlistInput(value: Value): void {
    const at = this.#inputs.indexOf(value);
    if (at < 0) return;
    this.#inputs.splice(at, 1);
    value.isGraphInput = false;
  }

  addOutput(value: Value): void {
    this.setOutput(this.#outputs.length, value);
  }

  /** Sets or appends (index == length) one output. */
  setOutput(index: number, value: Value): void {
    if (index > this.#outputs.length) throw new RangeError(`the graph has ${this.#outputs.length} outputs`);
    this.#forgetOutput(index);
    this.#outputs[index] = value;
    value.outputOf.push(this);
  }

  removeOutput(index: number): void {
    this.#forgetOutput(index);
    this.#outputs.splice(index, 1);
  }

  #forgetOutput(index: number): void {
    const old = this.#outputs[index];
    if (old) old.outputOf.splice(old.outputOf.indexOf(this), 1);
  }

  addInitializer(name: string, tensor: Tensor): Value {
    const value = this.addValue(this.freshName(name), { elemType: tensor.dataType, shape: tensor.dims });
    value.initializer = tensor;
    return value;
  }

  /** Appends a node, or places it before another one. */
  addNode(spec: NodeSpec, before?: Node): Node {
    const node = new Node(this, spec.name ?? "", spec.opType, spec.domain ?? "");
    for (const [i, value] of spec.inputs.entries()) node.setInput(i, value);
    for (const [i, out] of spec.outputs.entries()) {
      if (out === "") node.setOutput(i, null);
      else node.setOutput(i, typeof out === "string" ? (this.values.get(out) ?? this.addValue(out)) : out);
    }
    for (const [name, value] of Object.entries(spec.attributes ?? {})) node.set(name, value);
    const at = before ? this.nodes.indexOf(before) : this.nodes.length;
    this.nodes.splice(at < 0 ? this.nodes.length : at, 0, node);
    return node;
  }

  /** Takes a node out; outputs that are still read stay as values without a producer, so replace their uses first. */
  removeNode(node: Node): void {
    node.truncateInputs(0);
    for (const sub of node.subgraphs) sub.detach();
    for (const [i, out] of node.outputs.entries()) {
      node.setOutput(i, null);
      if (out && out.uses.length === 0 && !out.isGraphOutput) this.values.delete(out.name);
    }
    const at = this.nodes.indexOf(node);
    if (at >= 0) this.nodes.splice(at, 1);
  }

  /** Lets go of everything outside that this inner graph reads, so that no use of it lingers. */
  private detach(): void {
    for (const node of this.nodes) {
      node.truncateInputs(0);
      for (const sub of node.subgraphs) sub.detach();
    }
    while (this.#outputs.length > 0) this.removeOutput(this.#outputs.length - 1);
  }

  /** Forgets a value that nothing writes or reads. */
  removeValue(value: Value): void {
    if (value.producer || value.uses.length > 0 || value.isGraphOutput) throw new Error(`"${value.name}" is in use`);
    this.unlistInput(value);
    this.values.delete(value.name);
  }

  /**
   * Lets every reader of `old` read `by` instead. Where `old` is a graph output its name must survive: `by` takes the
   * name over, which is refused (false, nothing changed) when `by` is itself an input, an initializer or an output,
   * or lives in another graph.
   */
  replaceAllUses(old: Value, by: Value): boolean {
    if (old === by) return true;
    const named = old.outputOf.includes(old.graph);
    if (named && (by.initializer || by.sparse || by.isGraphInput || by.isGraphOutput || by.graph !== old.graph))
      return false;
    for (const use of [...old.uses]) use.node.setInput(use.index, by);
    for (const graph of new Set(old.outputOf)) {
      for (const [i, value] of graph.outputs.entries()) if (value === old) graph.setOutput(i, by);
    }
    if (named) {
      const name = old.name;
      old.graph.rename(old, old.graph.freshName(`${name}_replaced`));
      old.graph.rename(by, name);
      by.type = old.type ?? by.type;
      by.origin = old.origin;
    }
    return true;
  }

  rename(value: Value, name: string): void {
    if (value.name === name) return;
    if (this.values.has(name)) throw new Error(`the graph has a value named "${name}" already`);
    this.values.delete(value.name);
    value.name = name;
    this.values.set(name, value);
  }

  /** `base`, or `base_1`, `base_2`... whichever no value of this graph or of one around it has. */
  freshName(base: string): string {
    let name = base;
    for (let i = 1; this.find(name); i++) name = `${base}_${i}`;
    return name;
  }

  /** Orders the nodes so that each stands after what it reads, keeping an order that holds; throws where there is a cycle. */
  sortTopologically(): void {
    this.nodes = topologicalOrder(this);
  }
}

export class Model {
  irVersion = 8;
  /** Domain ("" is ai.onnx) to version. */
  readonly opsetImports = new Map<string, number>();
  producerName = "";
  readonly metadata = new Map<string, string>();
  /** Operators that the file itself defines. Their bodies stay in `origin`: no pass looks into them. */
  readonly functions: { readonly domain: string; readonly name: string }[] = [];
  /** The ModelProto this was read from, for what the IR has no word for (functions, training info, doc). */
  origin: unknown;

  constructor(readonly graph: Graph) {}

  /** Version of the ai.onnx operator set. */
  get opset(): number {
    return this.opsetImports.get("") ?? this.opsetImports.get("ai.onnx") ?? 1;
  }
}
