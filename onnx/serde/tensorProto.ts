/**
 * TensorProto and `Tensor`. The format has six places for elements (raw bytes, five typed lists, strings, another file);
 * `Tensor` knows packed little-endian bytes and strings. What is read keeps its message and is written back as it was.
 */
import type { ExternalPlace } from "../external.ts";
import { isExternal, placeItems, statedPlace } from "../external.ts";
import { DataType, dataTypeBits, dataTypeName, packedByteLength } from "../ir/dataType.ts";
import { type ByteSource, type DataRef, elementCount, Tensor } from "../ir/tensor.ts";
import { countVarints, unpackVarints } from "../kernels/varints.ts";
import { type Item, intItem, isPiece, Message, type Piece } from "../message.ts";
import { ModelFormatError } from "../modelFormatError.ts";
import { TensorProto } from "../proto.ts";

const EXPORT_AGAIN = "The file is damaged or made to harm; export the model again.";

/** `data`: the bytes of an external tensor, where they were found. */
export function readTensor(message: Message, data: Piece | undefined): Tensor {
  const name = message.text("name") ?? "";
  const dataType = message.int("data_type") ?? DataType.UNDEFINED;
  const dims = message.ints("dims");
  const expected = expectedBytes(name, dataType, dims);
  if (isExternal(message)) return new Tensor(dataType, dims, { ...content(data), origin: message });
  if (dataType === DataType.STRING) return readStrings(message, dims);
  const found = packedData(message, dataType) ?? (expected === 0 ? new Uint8Array(0) : undefined);
  if (expected !== undefined && (found?.length ?? 0) !== expected) {
    throw new ModelFormatError(
      "tensor-size",
      `the tensor "${name}" says ${dataTypeName(dataType)} [${dims.join(",")}], which takes ${expected} bytes, but it has ${found?.length ?? 0}`,
      EXPORT_AGAIN,
    );
  }
  return new Tensor(dataType, dims, { ...content(found), origin: message });
}

/** Bytes that a tensor's type and shape ask for; undefined for strings and types this version does not know. */
export function expectedBytes(name: string, dataType: number, dims: readonly number[]): number | undefined {
  try {
    return packedByteLength(dataType, elementCount(dims));
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new ModelFormatError("tensor-too-large", `the tensor "${name}": ${what}`, EXPORT_AGAIN, { cause });
  }
}

function content(data: Piece | undefined): { inline?: Uint8Array; ref?: DataRef } {
  if (!data) return {};
  return data instanceof Uint8Array ? { inline: data } : { ref: data };
}

function readStrings(message: Message, dims: readonly number[]): Tensor {
  const strings = message.pieces("string_data").filter((piece) => piece instanceof Uint8Array);
  if (strings.length !== elementCount(dims)) {
    throw new ModelFormatError(
      "tensor-size",
      `the tensor "${message.text("name") ?? ""}" says [${dims.join(",")}] strings, but it has ${strings.length} of at most 64 KB`,
      EXPORT_AGAIN,
    );
  }
  return new Tensor(DataType.STRING, dims, { strings, origin: message });
}

/** The field that holds a type's elements where they are not raw (onnx.proto, the comments of the typed lists). */
function typedField(dataType: number): string {
  if (dataType === DataType.FLOAT || dataType === DataType.COMPLEX64) return "float_data";
  if (dataType === DataType.DOUBLE || dataType === DataType.COMPLEX128) return "double_data";
  if (dataType === DataType.INT64) return "int64_data";
  if (dataType === DataType.UINT32 || dataType === DataType.UINT64) return "uint64_data";
  return "int32_data";
}

function packedData(message: Message, dataType: number): Piece | undefined {
  const raw = message.piece("raw_data");
  if (raw && raw.length > 0) return raw;
  const field = typedField(dataType);
  const items = message.occurrences(field);
  const only = items[0];
  const fixedSize = field === "float_data" || field === "double_data";
  if (fixedSize && items.length === 1 && isPiece(only)) return only;
  const large = items.find((item): item is DataRef => isPiece(item) && !(item instanceof Uint8Array));
  if (!large) return items.length === 0 ? raw : packElements(items, field, dataType);
  if (items.length > 1) {
    throw new ModelFormatError(
      "split-tensor",
      `the tensor "${message.text("name") ?? ""}" has its elements in ${items.length} parts`,
      "Load and save it with the onnx package, which joins them.",
    );
  }
  const length = expectedBytes("", dataType, message.ints("dims")) ?? 0;
  if (length > large.length * 8) return undefined;
  return { source: elementsSource(large, dataType, length), offset: 0, length };
}

/** Large integers in varints: decoded whole at the first read of them, since no element can be found without the others. */
function elementsSource(packed: DataRef, dataType: number, size: number): ByteSource {
  return {
    size,
    read: async (offset, length) => {
      const all = packElements([await packed.source.read(packed.offset, packed.length)], "int", dataType);
      if (all.length !== size || offset + length > size) {
        throw new ModelFormatError(
          "tensor-size",
          `a tensor takes ${size} bytes, but it has ${all.length}`,
          EXPORT_AGAIN,
        );
      }
      return all.subarray(offset, offset + length);
    },
  };
}

/** Elements of a typed list as packed little-endian bytes. Integers of less than a byte come packed in bytes already. */
function packElements(items: readonly Item[], field: string, dataType: number): Uint8Array {
  if (field === "float_data" || field === "double_data") return joinFixed(items, field === "float_data" ? 4 : 8);
  const bits = dataTypeBits(dataType) ?? 32;
  const width = bits === 6 ? 1 : Math.max(1, bits / 8);
  const runs = items.map((item) => (item instanceof Uint8Array ? item : varintBytes(item)));
  const out = new Uint8Array(runs.reduce((sum, run) => sum + countVarints(run), 0) * width);
  let at = 0;
  for (const run of runs) {
    unpackVarints(run, width, out, at);
    at += countVarints(run) * width;
  }
  return bits === 6 ? packSixBits(out) : out;
}

/** A single integer as a packed run of one. */
function varintBytes(item: Item): Uint8Array {
  const bytes: number[] = [];
  let rest = typeof item === "number" || typeof item === "bigint" ? BigInt.asUintN(64, BigInt(item)) : 0n;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
}

function joinFixed(items: readonly Item[], width: number): Uint8Array {
  const parts = items.map((item) => {
    if (item instanceof Uint8Array) return item;
    const part = new Uint8Array(width);
    const view = new DataView(part.buffer);
    if (width === 4) view.setUint32(0, Number(item), true);
    else if (typeof item === "bigint") view.setBigUint64(0, item, true);
    return part;
  });
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Four 6-bit elements in three bytes, the first in the lowest bits (onnx.proto, TensorProto.raw_data). */
function packSixBits(elements: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil((elements.length * 6) / 8));
  for (const [i, element] of elements.entries()) {
    const bits = (element & 63) << ((i * 6) % 8);
    const at = (i * 6) >> 3;
    out[at] = (out[at] ?? 0) | (bits & 255);
    if (bits > 255) out[at + 1] = bits >> 8;
  }
  return out;
}

const DATA_FIELDS: Readonly<Record<string, readonly Item[]>> = {
  float_data: [],
  int32_data: [],
  string_data: [],
  int64_data: [],
  raw_data: [],
  double_data: [],
  uint64_data: [],
  external_data: [],
  data_location: [],
};

/** `name`: for initializers; a tensor in an attribute keeps its own. `place`: where its bytes will lie, if not in the model. */
export function writeTensor(tensor: Tensor, name: string | undefined, place: ExternalPlace | undefined): Message {
  const origin = tensor.origin instanceof Message ? tensor.origin : undefined;
  const base = origin ?? freshTensor(tensor);
  const named = name === undefined || (base.text("name") ?? "") === name ? base : base.with({ name: [name] });
  if (place) {
    const stays = origin && isExternal(origin) && samePlace(statedPlace(origin), place);
    return stays ? named : named.with({ ...DATA_FIELDS, ...placeItems(place) });
  }
  const data = tensor.inlineBytes ?? tensor.ref;
  if (origin && isExternal(origin) && data) return named.with({ ...DATA_FIELDS, raw_data: [data] });
  return named;
}

function samePlace(stated: ReturnType<typeof statedPlace>, place: ExternalPlace): boolean {
  const { location, offset, length } = stated;
  return location === place.location && offset === place.offset && (length ?? place.length) === place.length;
}

function freshTensor(tensor: Tensor): Message {
  const data = tensor.inlineBytes ?? tensor.ref;
  return Message.of(TensorProto, {
    dims: tensor.dims.map(intItem),
    data_type: [tensor.dataType],
    ...(tensor.strings ? { string_data: tensor.strings } : { raw_data: data ? [data] : [] }),
  });
}
