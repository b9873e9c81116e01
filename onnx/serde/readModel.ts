/**
 * From a file to the graph in memory. Reads the structure only: tensors above 64 KB stay where they lie, in the file or in
 * an external data file. Everything the IR has no word for stays in the messages that `origin` keeps.
 */
import { findExternal, isExternal, type OpenExternal, tensorsOf } from "../external.ts";
import { Graph, Model, type Node, type Value } from "../ir/graph.ts";
import type { ByteSource } from "../ir/tensor.ts";
import type { Message, Piece } from "../message.ts";
import { ModelFormatError } from "../modelFormatError.ts";
import { ModelProto } from "../proto.ts";
import { nodeLabel } from "../verify.ts";
import { decode, INLINE_LIMIT } from "../wire.ts";
import { readAttribute } from "./attributeProto.ts";
import { foreignFormat } from "./foreignFormat.ts";
import { GraphRecord } from "./graphRecord.ts";
import { expectedBytes, readTensor } from "./tensorProto.ts";
import { readType } from "./typeProto.ts";

export interface ReadOptions {
  /** Without it, tensors with external data can be seen but not read. */
  readonly openExternal?: OpenExternal;
}

/** Throws `ModelFormatError` for everything that is no sound ONNX model. */
export async function readModel(source: ByteSource, options: ReadOptions = {}): Promise<Model> {
  const proto = await decodeModel(source);
  const graphProto = proto.message("graph");
  if (!graphProto) {
    throw new ModelFormatError("no-graph", "the file holds no graph", "Is it an ONNX model? Export the model again.");
  }
  refuseExternalElsewhere(proto);
  const model = new Model(new GraphReader(await tensorData(graphProto, options.openExternal)).graph(graphProto));
  model.origin = proto;
  model.irVersion = proto.int("ir_version") ?? 0;
  model.producerName = proto.text("producer_name") ?? "";
  for (const set of proto.messages("opset_import")) {
    model.opsetImports.set(set.text("domain") ?? "", set.int("version") ?? 0);
  }
  for (const definition of proto.messages("functions")) {
    model.functions.push({ domain: definition.text("domain") ?? "", name: definition.text("name") ?? "" });
  }
  for (const [key, value] of readMetadata(proto)) model.metadata.set(key, value);
  return model;
}

/** Values above 64 KB are no text to show; they stay in the message. */
export function readMetadata(proto: Message): [string, string][] {
  const entries: [string, string][] = [];
  for (const entry of proto.messages("metadata_props")) {
    const value = entry.last("value");
    if (value === undefined || typeof value === "string") entries.push([entry.text("key") ?? "", value ?? ""]);
  }
  return entries;
}

async function decodeModel(source: ByteSource): Promise<Message> {
  const foreign = foreignFormat(await source.read(0, Math.min(64, source.size)));
  if (foreign) throw new ModelFormatError("not-onnx", `this is ${foreign.what}, not an ONNX model`, foreign.fix);
  return decode(ModelProto, source);
}

/** Functions and training graphs are kept as messages, so their tensors must be in the file itself. */
function refuseExternalElsewhere(proto: Message): void {
  for (const message of [...proto.messages("functions"), ...proto.messages("training_info")]) {
    for (const tensor of tensorsOf(message)) {
      if (!isExternal(tensor)) continue;
      throw new ModelFormatError(
        "external-in-function",
        `a function or training graph has external data ("${tensor.text("name") ?? ""}")`,
        "Inline the functions (onnx.inliner) or save the model without external data.",
      );
    }
  }
}

/** The bytes of external tensors: small ones at once, large ones by reference. */
async function tensorData(graph: Message, open: OpenExternal | undefined): Promise<ReadonlyMap<Message, Piece>> {
  const data = new Map<Message, Piece>();
  for (const [tensor, { source, offset, length }] of await findExternal(graph, open)) {
    const name = tensor.text("name") ?? "";
    const expected = expectedBytes(name, tensor.int("data_type") ?? 0, tensor.ints("dims")) ?? length ?? 0;
    if (expected !== (length ?? expected) || offset + expected > source.size) {
      throw new ModelFormatError(
        "tensor-size",
        `the tensor "${name}" takes ${expected} bytes, but its place in the data file has ${length ?? source.size - offset}`,
        "The data file is cut short or belongs to another model; copy it again together with the model.",
      );
    }
    data.set(
      tensor,
      expected <= INLINE_LIMIT ? await source.read(offset, expected) : { source, offset, length: expected },
    );
  }
  return data;
}

class GraphReader {
  constructor(private readonly data: ReadonlyMap<Message, Piece>) {}

  graph(message: Message, parent?: Graph): Graph {
    const graph = new Graph(message.text("name") ?? "", parent);
    const record = new GraphRecord(message);
    graph.origin = record;
    for (const info of message.messages("input")) {
      const value = this.#newValue(graph, info.text("name") ?? "", "a graph input");
      graph.listInput(value);
      this.#describe(value, info);
      record.inputs.set(value, info);
    }
    this.#initializers(graph, record);
    const nodes = message.messages("node");
    // All outputs first: files are found whose nodes are not in order, and bodies may read any value around them.
    const outputs = nodes.map((node) => this.#nodeOutputs(graph, node));
    this.#describeAll(graph, record);
    for (const [i, node] of nodes.entries()) this.#node(graph, node, outputs[i] ?? []);
    refuseCycles(graph);
    return graph;
  }

  #initializers(graph: Graph, record: GraphRecord): void {
    for (const message of record.message.messages("initializer")) {
      const name = message.text("name") ?? "";
      const listed = graph.values.get(name);
      const value = listed && !listed.initializer ? listed : this.#newValue(graph, name, "an initializer");
      const tensor = this.#tensor(message);
      value.initializer = tensor;
      value.type ??= { elemType: tensor.dataType, shape: tensor.dims };
      record.initializers.push(value);
    }
    for (const message of record.message.messages("sparse_initializer")) {
      const name = message.message("values")?.text("name") ?? "";
      const listed = graph.values.get(name);
      const fits = listed && !listed.initializer && !listed.sparse;
      const value = fits ? listed : this.#newValue(graph, name, "an initializer");
      value.sparse = message;
      record.sparse.push(value);
    }
  }

  #describeAll(graph: Graph, record: GraphRecord): void {
    for (const info of record.message.messages("value_info")) {
      const value = graph.values.get(info.text("name") ?? "");
      if (value && !value.type) this.#describe(value, info);
      record.valueInfo.push({ message: info, value });
    }
    for (const info of record.message.messages("output")) {
      const name = info.text("name") ?? "";
      const value = graph.find(name);
      if (!value) throw missing(name, "the graph lists as an output");
      if (value.graph === graph) this.#describe(value, info);
      graph.addOutput(value);
      record.outputs.push({ message: info, value });
    }
    for (const value of [...graph.values.values(), ...graph.outputs]) record.types.set(value, value.type);
  }

  #nodeOutputs(graph: Graph, node: Message): (Value | "")[] {
    const role = `an output of ${node.text("op_type") ?? ""}`;
    return node.texts("output").map((name) => (name === "" ? "" : this.#newValue(graph, name, role)));
  }

  #node(graph: Graph, message: Message, outputs: readonly (Value | "")[]): void {
    const opType = message.text("op_type") ?? "";
    const node = graph.addNode({
      name: message.text("name") ?? "",
      opType,
      domain: message.text("domain") ?? "",
      inputs: message.texts("input").map((name) => (name === "" ? null : read(graph, name, opType))),
      outputs,
    });
    node.origin = message;
    for (const attribute of message.messages("attribute")) this.#attribute(node, attribute);
  }

  #attribute(node: Node, message: Message): void {
    const name = message.text("name") ?? "";
    if (node.attributes.has(name)) {
      throw new ModelFormatError(
        "duplicate-attribute",
        `${nodeLabel(node)} has the attribute "${name}" twice`,
        "Export the model again; no runtime can know which of the two is meant.",
      );
    }
    const attribute = readAttribute(message, {
      tensor: (tensor) => this.#tensor(tensor),
      graph: (graph) => this.graph(graph, node.graph),
    });
    node.attributes.set(name, attribute);
  }

  #tensor(message: Message) {
    return readTensor(message, this.data.get(message));
  }

  #newValue(graph: Graph, name: string, role: string): Value {
    if (name === "") throw new ModelFormatError("no-name", `${role} has no name`, "Export the model again.");
    if (graph.values.has(name)) {
      throw new ModelFormatError(
        "duplicate-name",
        `"${name}", ${role}, has the name of another value of the graph`,
        "A value has one writer; export the model again.",
      );
    }
    return graph.addValue(name);
  }

  #describe(value: Value, info: Message): void {
    value.type = readType(info) ?? value.type;
    value.origin = info;
  }
}

function read(graph: Graph, name: string, opType: string): Value {
  const value = graph.find(name);
  if (!value) throw missing(name, `${opType} reads`);
  return value;
}

function missing(name: string, who: string): ModelFormatError {
  return new ModelFormatError(
    "missing-value",
    `nothing writes "${name}", which ${who}`,
    "The model was cut or edited badly; export it again.",
  );
}

function refuseCycles(graph: Graph): void {
  const asRead = graph.nodes;
  try {
    graph.sortTopologically();
  } catch (cause) {
    throw new ModelFormatError(
      "cycle",
      cause instanceof Error ? cause.message : String(cause),
      "A graph with a cycle cannot run; export the model again.",
      { cause },
    );
  }
  graph.nodes = asRead;
}
