/**
 * Writing protobuf: from the end to the start, so that a message's length is known when its header's turn comes. The
 * structure is built in memory in one pass; large byte strings are handed on as they are, or streamed from where they lie.
 */
import type { DataRef } from "./ir/tensor.ts";
import { type Item, isPiece, Message, type Piece, Unknown } from "./message.ts";
import { encodeText } from "./text.ts";

/** Longer byte strings are handed on instead of being copied into a chunk. */
const COPY_LIMIT = 1024;
const CHUNK = 64 * 1024;
const STREAM_CHUNK = 1024 * 1024;

/** The bytes of a message, with memory for its structure and one chunk of what is streamed. */
export async function* encode(message: Message): AsyncGenerator<Uint8Array> {
  for (const piece of new Writer().write(message)) {
    if (piece instanceof Uint8Array) yield piece;
    else yield* readAll(piece);
  }
}

async function* readAll({ source, offset, length }: DataRef): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += STREAM_CHUNK) {
    yield await source.read(offset + at, Math.min(STREAM_CHUNK, length - at));
  }
}

class Writer {
  /** Last piece first. */
  readonly #pieces: Piece[] = [];
  #chunk = new Uint8Array(CHUNK);
  #view = new DataView(this.#chunk.buffer);
  /** Index in the chunk of the byte written last. */
  #at = CHUNK;
  /** Where the part of the chunk ends that is not handed on yet. */
  #end = CHUNK;
  #written = 0;

  write(message: Message): readonly Piece[] {
    this.#message(message);
    this.#flush();
    return this.#pieces.reverse();
  }

  #message(message: Message): void {
    for (let i = message.items.length - 1; i >= 0; i--) {
      const item = message.items[i];
      if (item !== undefined) this.#item(message, message.numbers[i] ?? 0, item);
    }
  }

  #item(message: Message, number: number, item: Item): void {
    const before = this.#written;
    if (item instanceof Message) {
      this.#message(item);
      this.#header(number, this.#written - before);
    } else if (typeof item === "string") {
      if (!this.#ascii(item)) this.#bytes(encodeText(item));
      this.#header(number, this.#written - before);
    } else if (isPiece(item)) {
      this.#bytes(item);
      this.#header(number, item.length);
    } else if (item instanceof Unknown) {
      this.#bytes(item.bytes);
    } else this.#scalar(message, number, item);
  }

  #scalar(message: Message, number: number, value: number | bigint): void {
    const type = message.schema.byNumber(number)?.type;
    if (type === "float") {
      const at = this.#room(4); // may begin a new chunk, with a new view
      this.#view.setUint32(at, Number(value), true);
      this.#varint(number * 8 + 5);
    } else if (type === "double") {
      const at = this.#room(8);
      this.#view.setBigUint64(at, BigInt(value), true);
      this.#varint(number * 8 + 1);
    } else {
      if (typeof value === "number" && value >= 0) this.#varint(value);
      else this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
      this.#varint(number * 8);
    }
  }

  #header(number: number, length: number): void {
    this.#varint(length);
    this.#varint(number * 8 + 2);
  }

  #varint(value: number): void {
    let length = 1;
    for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length++;
    let at = this.#room(length);
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.#chunk[at++] = (rest % 128) | 0x80;
    this.#chunk[at] = rest;
  }

  #bigVarint(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    const at = this.#room(bytes.length);
    this.#chunk.set(bytes, at);
  }

  /** Names are short and plain: written without an encoder. False, with nothing written, for others. */
  #ascii(text: string): boolean {
    if (text.length > COPY_LIMIT) return false;
    for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
    const at = this.#room(text.length);
    for (let i = 0; i < text.length; i++) this.#chunk[at + i] = text.charCodeAt(i);
    return true;
  }

  #bytes(piece: Piece): void {
    if (piece instanceof Uint8Array && piece.length <= COPY_LIMIT) {
      const at = this.#room(piece.length);
      this.#chunk.set(piece, at);
      return;
    }
    this.#flush();
    this.#pieces.push(piece);
    this.#written += piece.length;
  }

  /** Index in the chunk of room for a few bytes, before all that is written. */
  #room(bytes: number): number {
    if (this.#at < bytes) {
      this.#flush();
      this.#chunk = new Uint8Array(CHUNK);
      this.#view = new DataView(this.#chunk.buffer);
      this.#at = CHUNK;
      this.#end = CHUNK;
    }
    this.#at -= bytes;
    this.#written += bytes;
    return this.#at;
  }

  /** Hands on what the chunk holds; the rest of it is filled further. */
  #flush(): void {
    if (this.#at < this.#end) this.#pieces.push(this.#chunk.subarray(this.#at, this.#end));
    this.#end = this.#at;
  }
}
