/** AttributeProto and `Attribute`. What a pass does not change is written back as the very message it was read from. */
import type { Attribute, Graph } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import { bytesItem, floatItem, type Item, intItem, Message, type Piece } from "../message.ts";
import { AttributeProto } from "../proto.ts";
import { decodeText } from "../text.ts";

/** AttributeProto.AttributeType. */
const CODES = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
} as const;
const FIELDS = {
  float: "f",
  int: "i",
  string: "s",
  tensor: "t",
  graph: "g",
  floats: "floats",
  ints: "ints",
  strings: "strings",
  tensors: "tensors",
  graphs: "graphs",
} as const;
type Kind = keyof typeof CODES;
const KINDS = ["float", "int", "string", "tensor", "graph", "floats", "ints", "strings", "tensors", "graphs"] as const;

export interface AttributeReader {
  readonly tensor: (message: Message) => Tensor;
  readonly graph: (message: Message) => Graph;
}

export function readAttribute(message: Message, read: AttributeReader): Attribute {
  const origin = message;
  if (message.text("ref_attr_name")) return { type: "opaque", origin };
  switch (kindOf(message)) {
    case "float":
      return { type: "float", value: message.float("f") ?? 0, origin };
    case "int":
      return { type: "int", value: message.int("i") ?? 0, origin };
    case "string": {
      const bytes = message.has("s") ? message.piece("s") : new Uint8Array(0);
      return bytes instanceof Uint8Array
        ? { type: "string", value: decodeText(bytes), origin }
        : { type: "opaque", origin };
    }
    case "tensor": {
      const tensor = message.message("t");
      return tensor ? { type: "tensor", value: read.tensor(tensor), origin } : { type: "opaque", origin };
    }
    case "graph": {
      const graph = message.message("g");
      return graph ? { type: "graph", value: read.graph(graph), origin } : { type: "opaque", origin };
    }
    case "floats":
      return { type: "floats", value: message.floats("floats"), origin };
    case "ints":
      return { type: "ints", value: message.ints("ints"), origin };
    case "strings": {
      const pieces = message.pieces("strings");
      const small = pieces.filter((piece) => piece instanceof Uint8Array);
      return small.length === pieces.length
        ? { type: "strings", value: small.map(decodeText), origin }
        : { type: "opaque", origin };
    }
    case "tensors":
      return { type: "tensors", value: message.messages("tensors").map(read.tensor), origin };
    case "graphs":
      return { type: "graphs", value: message.messages("graphs").map(read.graph), origin };
    default:
      return { type: "opaque", origin };
  }
}

/** Files of IR 1 leave the type out: then the field that is filled tells it. */
function kindOf(message: Message): Kind | undefined {
  const code = message.int("type") ?? 0;
  return KINDS.find((kind) => (code === 0 ? message.has(FIELDS[kind]) : CODES[kind] === code));
}

export interface AttributeWriter {
  readonly tensor: (tensor: Tensor) => Message;
  readonly graph: (graph: Graph) => Message;
}

export function writeAttribute(name: string, attribute: Attribute, write: AttributeWriter): Message {
  const origin = attribute.origin instanceof Message ? attribute.origin : undefined;
  if (attribute.type === "opaque") {
    if (!origin) throw new TypeError(`the attribute "${name}" has no value`);
    return (origin.text("name") ?? "") === name ? origin : origin.with({ name: [name] });
  }
  const field = FIELDS[attribute.type];
  const named = { name: [name], type: [CODES[attribute.type]] };
  if (!origin) return Message.of(AttributeProto, { ...named, [field]: itemsOf(attribute, write) });
  const sameName = (origin.text("name") ?? "") === name;
  if (kindOf(origin) === attribute.type && saysTheSame(attribute, origin)) {
    return sameName ? origin : origin.with({ name: [name] });
  }
  const items = itemsOf(attribute, write);
  if (kindOf(origin) !== attribute.type) return Message.of(AttributeProto, { ...named, [field]: items });
  const before = origin.occurrences(field);
  if (sameName && items.length === before.length && items.every((item, i) => item === before[i])) return origin;
  return origin.with({ ...(!sameName && { name: [name] }), [field]: items });
}

type WithValue = Exclude<Attribute, { readonly type: "opaque" }>;

/** Whether a plain value is still what was read. Compared as numbers, since a bigint beyond 2^53 has no exact one. */
function saysTheSame(attribute: WithValue, origin: Message): boolean {
  switch (attribute.type) {
    case "float":
      return Object.is(origin.float("f") ?? 0, attribute.value);
    case "int":
      return (origin.int("i") ?? 0) === attribute.value;
    case "string":
      return decodeText(inline(origin.piece("s"))) === attribute.value;
    case "floats":
      return sameList(origin.floats("floats"), attribute.value);
    case "ints":
      return sameList(origin.ints("ints"), attribute.value);
    case "strings":
      return sameList(
        origin.pieces("strings").map((piece) => decodeText(inline(piece))),
        attribute.value,
      );
    default:
      return false;
  }
}

function inline(piece: Piece | undefined): Uint8Array {
  return piece instanceof Uint8Array ? piece : new Uint8Array(0);
}

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((x, i) => Object.is(x, b[i]));
}

function itemsOf(attribute: WithValue, write: AttributeWriter): readonly Item[] {
  switch (attribute.type) {
    case "float":
      return [floatItem(attribute.value)];
    case "int":
      return [intItem(attribute.value)];
    case "string":
      return [bytesItem(attribute.value)];
    case "tensor":
      return [write.tensor(attribute.value)];
    case "graph":
      return [write.graph(attribute.value)];
    case "floats":
      return attribute.value.map(floatItem);
    case "ints":
      return attribute.value.map(intItem);
    case "strings":
      return attribute.value.map(bytesItem);
    case "tensors":
      return attribute.value.map(write.tensor);
    case "graphs":
      return attribute.value.map(write.graph);
  }
}
