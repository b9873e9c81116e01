/** ValueInfoProto, TypeProto and `TensorType`. What is no dense tensor (sequences, maps, optionals) stays in its message. */
import type { Dim, TensorType, Value } from "../ir/graph.ts";
import { type Item, intItem, Message } from "../message.ts";
import { Dimension, TensorShapeProto, TypeProto, TypeProtoTensor, ValueInfoProto } from "../proto.ts";

/** Undefined where the value is no dense tensor or its type is not stated. */
export function readType(info: Message | undefined): TensorType | undefined {
  const tensor = info?.message("type")?.message("tensor_type");
  if (!tensor) return undefined;
  const elemType = tensor.int("elem_type") ?? 0;
  const shape = tensor.message("shape");
  return shape ? { elemType, shape: shape.messages("dim").map(readDim) } : { elemType };
}

/** Negative sizes and empty names, which exporters write for "unknown", are null. */
function readDim(dim: Message): Dim {
  const size = dim.int("dim_value");
  if (size !== undefined) return size >= 0 && Number.isSafeInteger(size) ? size : null;
  return dim.text("dim_param") || null;
}

/** The message of a value. `readFrom` is the one it had, to be kept as it is where the type has not changed since. */
export function writeValueInfo(value: Value, readFrom: { message: Message | undefined; type: TensorType | undefined }) {
  const base = readFrom.message ?? (value.origin instanceof Message ? value.origin : new Message(ValueInfoProto));
  const before = readFrom.message ? readFrom.type : readType(base);
  const changes: Record<string, readonly Item[]> = {};
  if ((base.text("name") ?? "") !== value.name) changes.name = [value.name];
  if (!sameType(before, value.type)) changes.type = value.type ? [writeType(value.type)] : [];
  return Object.keys(changes).length > 0 ? base.with(changes) : base;
}

export function sameType(a: TensorType | undefined, b: TensorType | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || a.elemType !== b.elemType || a.shape?.length !== b.shape?.length) return false;
  return (a.shape ?? []).every((dim, i) => dim === b.shape?.[i]);
}

function writeType({ elemType, shape }: TensorType): Message {
  const tensor = Message.of(TypeProtoTensor, {
    elem_type: [elemType],
    shape: shape ? [Message.of(TensorShapeProto, { dim: shape.map(writeDim) })] : [],
  });
  return Message.of(TypeProto, { tensor_type: [tensor] });
}

function writeDim(dim: Dim): Message {
  if (dim === null) return new Message(Dimension);
  return Message.of(Dimension, typeof dim === "number" ? { dim_value: [intItem(dim)] } : { dim_param: [dim] });
}
