/** Writing protobuf: the structure as it stands in memory, large byte strings streamed from where they lie. */
import type { DataRef } from "./ir/tensor.ts";
import { type Field, type Item, isPiece, Message, type Piece, Unknown } from "./message.ts";
import { encodeText } from "./text.ts";

/** Longer byte strings are handed on as they are instead of being copied into a chunk. */
const COPY_LIMIT = 1024;
const CHUNK = 64 * 1024;
const STREAM_CHUNK = 1024 * 1024;

/** The bytes of a message, with memory for the structure and one chunk. */
export async function* encode(message: Message): AsyncGenerator<Uint8Array> {
  for (const piece of new Writer().pieces(message)) {
    if (piece instanceof Uint8Array) yield piece;
    else yield* readAll(piece);
  }
}

export async function* readAll({ source, offset, length }: DataRef): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += STREAM_CHUNK) {
    yield await source.read(offset + at, Math.min(STREAM_CHUNK, length - at));
  }
}

/** Bytes that a message takes. */
export function encodedLength(message: Message): number {
  return new Writer().length(message);
}

class Writer {
  #chunk = new Uint8Array(CHUNK);
  #used = 0;
  readonly #lengths = new Map<Message, number>();

  *pieces(message: Message): Generator<Piece> {
    yield* this.#fields(message);
    yield* this.#flush();
  }

  length(message: Message): number {
    const known = this.#lengths.get(message);
    if (known !== undefined) return known;
    let sum = 0;
    for (const [i, item] of message.items.entries()) sum += this.#itemLength(message, message.numbers[i] ?? 0, item);
    this.#lengths.set(message, sum);
    return sum;
  }

  #itemLength(message: Message, number: number, item: Item): number {
    if (item instanceof Unknown) return item.pieces.reduce((sum, piece) => sum + piece.length, 0);
    const tag = varintLength(BigInt(number) << 3n);
    if (item instanceof Message) return tag + delimited(this.length(item));
    if (isPiece(item)) return tag + delimited(item.length);
    if (typeof item === "string") return tag + delimited(textLength(item));
    const type = message.schema.byNumber(number)?.type;
    if (type === "float") return tag + 4;
    if (type === "double") return tag + 8;
    return tag + varintLength(BigInt.asUintN(64, BigInt(item)));
  }

  *#fields(message: Message): Generator<Piece> {
    for (const [i, item] of message.items.entries()) {
      const number = message.numbers[i] ?? 0;
      if (CHUNK - this.#used < 32) yield* this.#flush();
      if (item instanceof Unknown) for (const piece of item.pieces) yield* this.#bytes(piece);
      else if (item instanceof Message) {
        this.#header(number, this.length(item));
        yield* this.#fields(item);
      } else if (isPiece(item) || typeof item === "string") {
        const piece = typeof item === "string" ? encodeText(item) : item;
        this.#header(number, piece.length);
        yield* this.#bytes(piece);
      } else this.#scalar(message.schema.byNumber(number), item);
    }
  }

  #scalar(field: Field | undefined, value: number | bigint): void {
    const number = BigInt(field?.number ?? 0) << 3n;
    const view = new DataView(this.#chunk.buffer);
    if (field?.type === "float") {
      this.#varint(number | 5n);
      view.setUint32(this.#used, Number(value), true);
      this.#used += 4;
    } else if (field?.type === "double") {
      this.#varint(number | 1n);
      view.setBigUint64(this.#used, BigInt(value), true);
      this.#used += 8;
    } else {
      this.#varint(number);
      this.#varint(BigInt.asUintN(64, BigInt(value)));
    }
  }

  #header(number: number, length: number): void {
    this.#varint((BigInt(number) << 3n) | 2n);
    this.#varint(BigInt(length));
  }

  #varint(value: bigint): void {
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.#chunk[this.#used++] = Number(rest & 0x7fn) | 0x80;
    this.#chunk[this.#used++] = Number(rest);
  }

  *#bytes(piece: Piece): Generator<Piece> {
    if (piece instanceof Uint8Array && piece.length <= COPY_LIMIT) {
      if (this.#used + piece.length > CHUNK) yield* this.#flush();
      this.#chunk.set(piece, this.#used);
      this.#used += piece.length;
    } else {
      yield* this.#flush();
      yield piece;
    }
  }

  *#flush(): Generator<Piece> {
    if (this.#used > 0) yield this.#chunk.slice(0, this.#used);
    this.#used = 0;
  }
}

function delimited(length: number): number {
  return varintLength(BigInt(length)) + length;
}

function varintLength(value: bigint): number {
  let length = 1;
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) length++;
  return length;
}

function textLength(text: string): number {
  return encodeText(text).length;
}
