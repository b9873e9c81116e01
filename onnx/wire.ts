/**
 * Protobuf's wire format, driven by the tables of `proto.ts` (protobuf.dev/programming-guides/encoding).
 *
 * Reading walks the fields through a small window over a `ByteSource`: byte strings above `INLINE_LIMIT` become `DataRef`s
 * and are skipped unread, so that a file of gigabytes costs its structure only. A message keeps its fields in file order and
 * each in the form it was read, unknown ones included; writing gives them back. Input is untrusted: lengths are held against
 * what is there, nesting and the number of fields are bounded before anything is allocated.
 */
import type { ByteSource } from "./ir/tensor.ts";
import { type Field, type FieldType, Message, type Piece, Schema, Unknown } from "./message.ts";
import { ModelFormatError } from "./modelFormatError.ts";
import { decodeText } from "./text.ts";

/** Longer byte strings are referred to, not read. */
export const INLINE_LIMIT = 64 * 1024;
/** Protobuf's own limit: no other reader opens deeper files. */
const MAX_DEPTH = 100;
/** What a file may hold, in weights: ten times the largest models in use, some 500 MB of memory. */
const MAX_WEIGHT = 32_000_000;
const WEIGHT = { number: 1, text: 4, message: 16 } as const;
const MIN_WINDOW = 4 * 1024;
const MAX_WINDOW = 256 * 1024;
const SLAB = 64 * 1024;
/** A tag and a length, ten bytes each at most. */
const HEADER_BYTES = 20;
const DAMAGED = "The file is cut short or is no ONNX model; download or export it again.";

/** Reads one message that fills the whole source; throws `ModelFormatError`. */
export async function decode(schema: Schema, source: ByteSource): Promise<Message> {
  const reader = new Reader(source);
  const message = new Message(schema);
  const steps = reader.fields(message, source.size, 0);
  for (let step = steps.next(); !step.done; step = steps.next()) await reader.load(step.value);
  return message;
}

/** Each step is a coroutine that yields the number of bytes it needs in the window, so that the walk itself never waits. */
type Steps<T = void> = Generator<number, T, undefined>;

class Reader {
  #window: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  /** Offset in the source of the window's first byte. */
  #base = 0;
  /** Offset in the source of the next byte. */
  #at = 0;
  #weight = 0;
  #slab = new Uint8Array(0);
  #slabUsed = SLAB;

  constructor(private readonly source: ByteSource) {}

  /** Reading on doubles the window, a jump over skipped bytes starts small again. */
  async load(bytes: number): Promise<void> {
    const readsOn = this.#at <= this.#base + this.#window.length;
    const next = readsOn ? Math.min(MAX_WINDOW, this.#window.length * 2) : 0;
    const length = Math.min(Math.max(MIN_WINDOW, next, bytes), this.source.size - this.#at);
    if (length < bytes) throw truncated();
    this.#window = await this.source.read(this.#at, length);
    if (this.#window.length !== length) throw truncated();
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, length);
    this.#base = this.#at;
  }

  *fields(message: Message, end: number, depth: number): Steps {
    if (depth > MAX_DEPTH) {
      throw new ModelFormatError(
        "nested-too-deep",
        `the file nests messages more than ${MAX_DEPTH} deep`,
        "No runtime opens such a file; flatten the graphs within graphs.",
      );
    }
    while (this.#at < end) {
      const header = Math.min(HEADER_BYTES, end - this.#at);
      if (this.#lacks(header)) yield header;
      const start = this.#at;
      const { number, wireType } = this.#tag(end);
      const field = message.schema.byNumber(number);
      if (field?.oneof) this.#search(message).dropOneof(field.oneof, number);
      if (field && wireType === 2 && holdsBytes(field)) {
        const length = this.#length(end);
        if (field.type instanceof Schema) {
          yield* this.fields(this.#inner(message, field, field.type), this.#at + length, depth + 1);
        } else {
          if (length <= INLINE_LIMIT && this.#lacks(length)) yield length;
          const piece = this.#piece(length);
          if (piece instanceof Uint8Array && !isWhole(piece, field.type)) {
            throw damaged("bad-list", "a list of numbers ends within one, or holds one of more than 64 bits");
          }
          message.add(number, field.type === "string" && piece instanceof Uint8Array ? decodeText(piece) : piece);
        }
      } else if (!field || !this.#scalar(message, field, wireType, end)) {
        yield* this.#skipValue({ wireType, end, depth }, number);
        const length = this.#at - start;
        this.#at = start;
        if (length <= INLINE_LIMIT && this.#lacks(length)) yield length;
        message.add(number, new Unknown(this.#piece(length)));
      }
    }
  }

  /** A new inner message; where a field that is not repeated comes twice, protobuf merges the second into the first. */
  #inner(message: Message, field: Field, schema: Schema): Message {
    const before = field.repeated ? undefined : this.#search(message).last(field);
    if (before instanceof Message) return before;
    this.#weigh(WEIGHT.message);
    const inner = new Message(schema);
    message.add(field.number, inner);
    return inner;
  }

  /** A message about to be searched: the work counts like what is read, so that no file makes it quadratic. */
  #search(message: Message): Message {
    this.#weigh(message.items.length);
    return message;
  }

  /** Reads a single scalar of the wire type that its field has; false, with nothing read, for another. */
  #scalar(message: Message, { number, type }: Field, wireType: number, end: number): boolean {
    if (wireType === 0 && (type === "int64" || type === "int32" || type === "uint64")) {
      message.add(number, integer(type, this.#varint(end)));
    } else if (wireType === 5 && type === "float") {
      message.add(number, this.#view.getUint32(this.#skip(4, end), true));
    } else if (wireType === 1 && type === "double") {
      message.add(number, this.#view.getBigUint64(this.#skip(8, end), true));
    } else return false;
    this.#weigh(WEIGHT.number);
    return true;
  }

  /** Moves behind a value of any wire type; groups (types 3 and 4) hold fields of their own. */
  *#skipValue({ wireType, end, depth }: FieldPlace, number: number): Steps {
    if (wireType === 0) this.#varint(end);
    else if (wireType === 1) this.#skip(8, end);
    else if (wireType === 2) this.#skip(this.#length(end), end);
    else if (wireType === 5) this.#skip(4, end);
    else if (wireType === 3 && depth < MAX_DEPTH) {
      for (;;) {
        const header = Math.min(HEADER_BYTES, end - this.#at);
        if (this.#lacks(header)) yield header;
        const inner = this.#tag(end);
        if (inner.wireType === 4) {
          if (inner.number !== number) throw damaged("bad-tag", `the group at ${this.#at} ends as another`);
          return;
        }
        yield* this.#skipValue({ wireType: inner.wireType, end, depth: depth + 1 }, inner.number);
      }
    } else throw damaged("bad-tag", `the bytes at ${this.#at} are no field`);
  }

  #lacks(bytes: number): boolean {
    const within = this.#at - this.#base;
    return within < 0 || within + bytes > this.#window.length;
  }

  /** The next bytes: a copy of few, which the window holds, a reference to many. */
  #piece(length: number): Piece {
    this.#weigh(WEIGHT.text);
    const offset = this.#at;
    this.#at += length;
    if (length > INLINE_LIMIT) return { source: this.source, offset, length };
    const copy = this.#room(length);
    copy.set(this.#window.subarray(offset - this.#base, offset - this.#base + length));
    return copy;
  }

  /** Small byte strings share a buffer, each aligned so that it can be viewed as numbers of any width. */
  #room(length: number): Uint8Array {
    if (length > SLAB / 4) return new Uint8Array(length);
    if (this.#slabUsed + length > SLAB) {
      this.#slab = new Uint8Array(SLAB);
      this.#slabUsed = 0;
    }
    const room = this.#slab.subarray(this.#slabUsed, this.#slabUsed + length);
    this.#slabUsed += Math.ceil(length / 8) * 8;
    return room;
  }

  /** An unsigned integer of at most 64 bits, a number where that is exact; the window holds it (HEADER_BYTES). */
  #varint(end: number): number | bigint {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = this.#byte(end);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    let wide = BigInt(value);
    for (let shift = 49n; shift < 64n; shift += 7n) {
      const byte = this.#byte(end);
      if (shift === 63n && byte > 1) break;
      wide |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return wide;
    }
    throw damaged("bad-varint", `the integer at ${this.#at} takes more than 64 bits`);
  }

  #tag(end: number): { readonly number: number; readonly wireType: number } {
    const tag = Number(this.#varint(end));
    const number = Math.floor(tag / 8);
    if (number === 0 || number > 0x1fffffff) throw damaged("bad-tag", `the bytes before ${this.#at} are no field`);
    return { number, wireType: tag % 8 };
  }

  #byte(end: number): number {
    const byte = this.#at < end ? this.#window[this.#at++ - this.#base] : undefined;
    if (byte === undefined) throw truncated();
    return byte;
  }

  #length(end: number): number {
    const length = Number(this.#varint(end));
    if (length > end - this.#at) throw truncated();
    return length;
  }

  /** Offset within the window of a value of fixed size, which is passed over. */
  #skip(bytes: number, end: number): number {
    if (this.#at + bytes > end) throw truncated();
    this.#at += bytes;
    return this.#at - bytes - this.#base;
  }

  #weigh(weight: number): void {
    this.#weight += weight;
    if (this.#weight > MAX_WEIGHT) {
      throw new ModelFormatError(
        "too-many-fields",
        "the file holds more fields than any model needs",
        "It is damaged or made to harm; export the model again.",
      );
    }
  }
}

interface FieldPlace {
  readonly wireType: number;
  /** Where the message ends that holds the field. */
  readonly end: number;
  readonly depth: number;
}

function holdsBytes({ type, repeated }: Field): boolean {
  return type instanceof Schema || type === "string" || type === "bytes" || repeated === true;
}

/** Whether a packed run of scalars ends with one, and none takes more than 64 bits. */
function isWhole(bytes: Uint8Array, type: Exclude<FieldType, Schema>): boolean {
  if (type === "string" || type === "bytes") return true;
  if (type === "float" || type === "double") return bytes.length % (type === "float" ? 4 : 8) === 0;
  let length = 0;
  for (const byte of bytes) {
    if (++length > 9 && byte > 1) return false;
    if (byte < 0x80) length = 0;
  }
  return length === 0;
}

function integer(type: "int32" | "int64" | "uint64", bits: number | bigint): number | bigint {
  if (typeof bits === "number" && (type !== "int32" || bits < 2 ** 31)) return bits;
  const value = type === "uint64" ? BigInt(bits) : BigInt.asIntN(type === "int32" ? 32 : 64, BigInt(bits));
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function damaged(code: string, what: string): ModelFormatError {
  return new ModelFormatError(code, what, DAMAGED);
}

function truncated(): ModelFormatError {
  return damaged("truncated", "the file ends within a field, or a field claims more bytes than there are");
}
