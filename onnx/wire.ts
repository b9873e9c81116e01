/**
 * Protobuf's wire format, driven by the tables of `proto.ts` (protobuf.dev/programming-guides/encoding).
 *
 * Reading walks the fields through a small window over a `ByteSource`: byte strings above `INLINE_LIMIT` become `DataRef`s
 * and are skipped unread, so that a file of gigabytes costs its structure only. A message keeps its fields in file order and
 * each in the form it was read, unknown ones included; writing gives them back. Input is untrusted: lengths are held against
 * what is there, nesting and the number of fields are bounded before anything is allocated.
 */
import type { ByteSource } from "./ir/tensor.ts";
import { type Field, Message, type Piece, Schema, Unknown } from "./message.ts";
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
      yield* this.#need(Math.min(HEADER_BYTES, end - this.#at));
      const start = this.#at;
      const tag = this.#varint(end);
      const wireType = Number(tag & 7n);
      const number = Number(tag >> 3n);
      if (number === 0 || number > 0x1fffffff) throw damaged("bad-tag", `the bytes at ${start} are no field`);
      const field = message.schema.byNumber(number);
      if (field) yield* this.#known(message, field, { wireType, start, end, depth });
      else yield* this.#unknown(message, number, { wireType, start, end, depth });
    }
  }

  *#known(message: Message, field: Field, at: FieldPlace): Steps {
    const { type, number } = field;
    if (field.oneof) message.dropOneof(field.oneof, number);
    if (at.wireType === 2 && type instanceof Schema) {
      const length = this.#length(at.end);
      const first = field.repeated ? -1 : message.numbers.lastIndexOf(number);
      const before = message.items[first];
      const inner = before instanceof Message ? before : new Message(type);
      if (inner !== before) {
        this.#weigh(WEIGHT.message);
        message.add(number, inner);
      }
      yield* this.fields(inner, this.#at + length, at.depth + 1);
    } else if (at.wireType === 2 && type === "string") {
      const piece = yield* this.#piece(this.#length(at.end));
      message.add(number, piece instanceof Uint8Array ? decodeText(piece) : piece);
    } else if (at.wireType === 2 && (type === "bytes" || field.repeated)) {
      message.add(number, yield* this.#piece(this.#length(at.end)));
    } else if (at.wireType === 0 && (type === "int64" || type === "int32" || type === "uint64")) {
      this.#weigh(WEIGHT.number);
      message.add(number, integer(type, this.#varint(at.end)));
    } else if (at.wireType === 5 && type === "float") {
      this.#weigh(WEIGHT.number);
      message.add(number, this.#view.getUint32(this.#skip(4, at.end), true));
    } else if (at.wireType === 1 && type === "double") {
      this.#weigh(WEIGHT.number);
      message.add(number, this.#view.getBigUint64(this.#skip(8, at.end), true));
    } else yield* this.#unknown(message, number, at);
  }

  *#unknown(message: Message, number: number, at: FieldPlace): Steps {
    yield* this.#skipValue(at, number);
    const end = this.#at;
    this.#at = at.start;
    message.add(number, new Unknown([yield* this.#piece(end - at.start)]));
  }

  /** Moves behind a value of any wire type; groups (types 3 and 4) hold fields of their own. */
  *#skipValue({ wireType, end, depth }: Omit<FieldPlace, "start">, number: number): Steps {
    if (wireType === 0) this.#varint(end);
    else if (wireType === 1) this.#skip(8, end);
    else if (wireType === 2) this.#skip(this.#length(end), end);
    else if (wireType === 5) this.#skip(4, end);
    else if (wireType === 3 && depth < MAX_DEPTH) {
      for (;;) {
        yield* this.#need(Math.min(HEADER_BYTES, end - this.#at));
        const tag = this.#varint(end);
        const inner = Number(tag >> 3n);
        if (Number(tag & 7n) === 4) {
          if (inner !== number) throw damaged("bad-tag", `the group at ${this.#at} ends as another`);
          return;
        }
        yield* this.#skipValue({ wireType: Number(tag & 7n), end, depth: depth + 1 }, inner);
      }
    } else throw damaged("bad-tag", `the bytes at ${this.#at} are no field`);
  }

  *#need(bytes: number): Steps {
    const within = this.#at - this.#base;
    if (within < 0 || within + bytes > this.#window.length) yield bytes;
  }

  /** The next bytes: a copy of few, a reference to many. */
  *#piece(length: number): Steps<Piece> {
    this.#weigh(WEIGHT.text);
    const offset = this.#at;
    if (length > INLINE_LIMIT) {
      this.#at += length;
      return { source: this.source, offset, length };
    }
    yield* this.#need(length);
    this.#at += length;
    return this.#window.slice(offset - this.#base, offset - this.#base + length);
  }

  /** An unsigned 64-bit integer; the window holds it (HEADER_BYTES). */
  #varint(end: number): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte(end);
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 64n; shift += 7n) {
      const byte = this.#byte(end);
      if (shift === 63n && byte > 1) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw damaged("bad-varint", `the integer at ${this.#at} takes more than 64 bits`);
  }

  #byte(end: number): number {
    const byte = this.#at < end ? this.#window[this.#at++ - this.#base] : undefined;
    if (byte === undefined) throw truncated();
    return byte;
  }

  #length(end: number): number {
    const length = this.#varint(end);
    if (length > BigInt(end - this.#at)) throw truncated();
    return Number(length);
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
  /** Where the field's tag begins, where the message ends. */
  readonly start: number;
  readonly end: number;
  readonly depth: number;
}

function integer(type: "int32" | "int64" | "uint64", bits: bigint): number | bigint {
  const value = type === "uint64" ? bits : BigInt.asIntN(type === "int32" ? 32 : 64, bits);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function damaged(code: string, what: string): ModelFormatError {
  return new ModelFormatError(code, what, DAMAGED);
}

function truncated(): ModelFormatError {
  return damaged("truncated", "the file ends within a field, or a field claims more bytes than there are");
}
