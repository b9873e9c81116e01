/**
 * From the graph in memory to a file, streamed: the structure as messages, large tensors from where they lie. What no pass
 * touched is written as it was read.
 */
import type { ExternalPlace } from "../external.ts";
import { DataType } from "../ir/dataType.ts";
import type { Graph, Model, Node, Value } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { type Item, intItem, Message } from "../message.ts";
import { GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto } from "../proto.ts";
import { encode } from "../wireEncode.ts";
import { writeAttribute } from "./attributeProto.ts";
import { GraphRecord } from "./graphRecord.ts";
import { readMetadata } from "./readModel.ts";
import { writeTensor } from "./tensorProto.ts";
import { writeValueInfo } from "./typeProto.ts";

export interface WriteOptions {
  /**
   * Where a tensor's bytes will lie in another file; undefined keeps them in the model. `name` is the initializer's, ""
   * for tensors of attributes. Asked for each tensor when `writeModel` is called, before anything is streamed.
   */
  readonly placeExternal?: (tensor: Tensor, name: string) => ExternalPlace | undefined;
}

/** The model's bytes, in chunks; memory is that of the structure. The caller writes what `placeExternal` put elsewhere. */
export function writeModel(model: Model, options: WriteOptions = {}): AsyncIterable<Uint8Array> {
  return encode(modelProto(model, options));
}

/** The whole file at once, for small models. */
export async function modelBytes(model: Model): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of writeModel(model)) {
    chunks.push(chunk);
    size += chunk.length;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function modelProto(model: Model, options: WriteOptions): Message {
  const base = model.origin instanceof Message ? model.origin : new Message(ModelProto);
  const changes: Record<string, readonly Item[]> = { graph: [new GraphWriter(options).graph(model.graph)] };
  if ((base.int("ir_version") ?? 0) !== model.irVersion) changes.ir_version = [intItem(model.irVersion)];
  if ((base.text("producer_name") ?? "") !== model.producerName) changes.producer_name = [model.producerName];
  const opsets = new Map(
    base.messages("opset_import").map((set) => [set.text("domain") ?? "", set.int("version") ?? 0]),
  );
  if (!sameMap(opsets, model.opsetImports)) {
    changes.opset_import = Array.from(model.opsetImports, ([domain, version]) =>
      Message.of(OperatorSetIdProto, { domain: [domain], version: [intItem(version)] }),
    );
  }
  const metadata = readMetadata(base);
  if (!sameMap(new Map(metadata), model.metadata)) {
    const large = base
      .messages("metadata_props")
      .filter((entry) => entry.has("value") && typeof entry.last("value") !== "string");
    const texts = Array.from(model.metadata, ([key, value]) =>
      Message.of(StringStringEntryProto, { key: [key], value: [value] }),
    );
    changes.metadata_props = [...texts, ...large];
  }
  return base.with(changes);
}

class GraphWriter {
  constructor(private readonly options: WriteOptions) {}

  graph(graph: Graph): Message {
    const record = graph.origin instanceof GraphRecord ? graph.origin : new GraphRecord(new Message(GraphProto));
    const base = record.message;
    const lives = (value: Value | undefined) => value !== undefined && graph.values.get(value.name) === value;
    const initializers = inOrder(record.initializers, graph.values.values()).filter((v) => v.initializer && lives(v));
    const sparse = inOrder(record.sparse, graph.values.values()).filter((v) => v.sparse && lives(v));
    return base.with({
      ...((base.text("name") ?? "") !== graph.name && { name: [graph.name] }),
      node: graph.nodes.map((node) => this.#node(node)),
      initializer: initializers.flatMap((value) => this.#initializer(value)),
      sparse_initializer: sparse.flatMap((value) => sparseProto(value)),
      input: graph.inputs.map((value) => writeValueInfo(value, record.statement(value, record.inputs.get(value)))),
      output: graph.outputs.map((value, i) =>
        writeValueInfo(value, record.statement(value, record.outputMessage(value, i))),
      ),
      value_info: valueInfo(graph, record),
    });
  }

  #initializer(value: Value): Item[] {
    return value.initializer ? [this.#tensor(value.initializer, value.name)] : [];
  }

  /** `name`: an initializer's. Tensors of attributes keep their own. */
  #tensor(tensor: Tensor, name?: string): Message {
    const place = tensor.dataType === DataType.STRING ? undefined : this.options.placeExternal?.(tensor, name ?? "");
    return writeTensor(tensor, name, place);
  }

  #node(node: Node): Message {
    const base = node.origin instanceof Message ? node.origin : new Message(NodeProto);
    const attributes = Array.from(node.attributes, ([name, attribute]) =>
      writeAttribute(name, attribute, {
        tensor: (tensor) => this.#tensor(tensor),
        graph: (graph) => this.graph(graph),
      }),
    );
    const text = (field: string, value: string) =>
      (base.text(field) ?? "") !== value && { [field]: value ? [value] : [] };
    return base.with({
      input: node.inputs.map((value) => value?.name ?? ""),
      output: node.outputs.map((value) => value?.name ?? ""),
      ...text("name", node.name),
      ...text("op_type", node.opType),
      ...text("domain", node.domain),
      attribute: attributes,
    });
  }
}

/** The values as they were listed, then those that came later. */
function inOrder(listed: readonly Value[], all: Iterable<Value>): readonly Value[] {
  return [...new Set([...listed, ...all])];
}

/** Types of the values between nodes: those read, in their order, then those that passes and inference added. */
function valueInfo(graph: Graph, record: GraphRecord): readonly Message[] {
  const messages: Message[] = [];
  const written = new Set<Value>();
  for (const { message, value } of record.valueInfo) {
    if (value && graph.values.get(value.name) !== value) continue;
    messages.push(value ? writeValueInfo(value, record.statement(value, message)) : message);
    if (value) written.add(value);
  }
  for (const value of graph.values.values()) {
    const typed = value.type !== undefined && value.producer !== undefined;
    if (typed && !value.isGraphOutput && !written.has(value))
      messages.push(writeValueInfo(value, record.statement(value, undefined)));
  }
  return messages;
}

function sparseProto(value: Value): Item[] {
  const origin = value.sparse;
  if (!(origin instanceof Message)) return [];
  const values = origin.message("values");
  if (!values || values.text("name") === value.name) return [origin];
  return [origin.with({ values: [values.with({ name: [value.name] })] })];
}

function sameMap<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value || !b.has(key)) return false;
  return true;
}
