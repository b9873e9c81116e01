/**
 * A protobuf message in memory and the schema that names its fields. Fields stay in file order, each item in the form it
 * was read; accessors apply protobuf's rules (the last scalar wins, packed and single elements are one list).
 */
import type { DataRef } from "./ir/tensor.ts";
import { ModelFormatError } from "./modelFormatError.ts";
import { encodeText } from "./text.ts";

export type ScalarType = "int32" | "int64" | "uint64" | "float" | "double";
export type FieldType = ScalarType | "string" | "bytes" | Schema;

export interface Field {
  readonly number: number;
  readonly type: FieldType;
  readonly repeated?: boolean;
  readonly packed?: boolean;
  readonly oneof?: string;
}

export function one(number: number, type: FieldType, oneof?: string): Field {
  return { number, type, ...(oneof && { oneof }) };
}
export function many(number: number, type: FieldType): Field {
  return { number, type, repeated: true };
}
export function packed(number: number, type: ScalarType): Field {
  return { number, type, repeated: true, packed: true };
}

export class Schema {
  #fields: Readonly<Record<string, Field>> | undefined;
  #byNumber: Map<number, Field> | undefined;

  /** `define` is called at first use, so that messages may hold each other. */
  constructor(
    readonly name: string,
    private readonly define: () => Readonly<Record<string, Field>>,
  ) {}

  get fields(): Readonly<Record<string, Field>> {
    this.#fields ??= this.define();
    return this.#fields;
  }
  field(name: string): Field {
    const field = this.fields[name];
    if (!field) throw new TypeError(`${this.name} has no field "${name}"`);
    return field;
  }
  byNumber(number: number): Field | undefined {
    this.#byNumber ??= new Map(Object.values(this.fields).map((field) => [field.number, field]));
    return this.#byNumber.get(number);
  }
}

/** Bytes at hand, or where they lie. */
export type Piece = Uint8Array | DataRef;

/** A field that the schema does not know, or one of another wire type than it says: its bytes from the tag on. */
export class Unknown {
  constructor(readonly bytes: Piece) {}
}

/**
 * One occurrence of a field. Integers are numbers where these are exact, else bigints; floats and doubles are their bits
 * (a number, a bigint), so that every NaN survives; a packed run of scalars is a `Piece`, like bytes; text is a string.
 */
export type Item = number | bigint | string | Piece | Message | Unknown;

export class Message {
  /** Field number of each item. */
  readonly numbers: number[] = [];
  readonly items: Item[] = [];

  constructor(readonly schema: Schema) {}

  static of(schema: Schema, fields: Readonly<Record<string, readonly Item[]>>): Message {
    return new Message(schema).with(fields);
  }

  /**
   * A copy with the named fields replaced (an empty list clears one), in the order of field numbers, unknown
   * ones last as protobuf writes them; this message itself where nothing changes.
   */
  with(changes: Readonly<Record<string, readonly Item[]>>): Message {
    const changed = new Map<number, readonly Item[]>();
    for (const [name, items] of Object.entries(changes)) {
      const { number } = this.schema.field(name);
      if (!this.#holds(number, items)) changed.set(number, items);
    }
    if (changed.size === 0) return this;
    const entries: [number, Item][] = [];
    for (const [i, item] of this.items.entries()) {
      const number = this.numbers[i] ?? 0;
      if (!changed.has(number)) entries.push([number, item]);
    }
    for (const [number, items] of changed) for (const item of items) entries.push([number, item]);
    entries.sort(
      ([a, x], [b, y]) => (x instanceof Unknown ? Infinity : a) - (y instanceof Unknown ? Infinity : b) || 0,
    );
    const copy = new Message(this.schema);
    for (const [number, item] of entries) copy.add(number, item);
    return copy;
  }

  #holds(number: number, items: readonly Item[]): boolean {
    let found = 0;
    for (let i = 0; i < this.numbers.length; i++) {
      if (this.numbers[i] !== number || this.items[i] instanceof Unknown) continue;
      if (this.items[i] !== items[found++]) return false;
    }
    return found === items.length;
  }

  add(number: number, item: Item): void {
    this.numbers.push(number);
    this.items.push(item);
  }

  /** Takes out all members of a oneof but `keep`: the last one read is the one that counts. */
  dropOneof(oneof: string, keep: number): void {
    for (let i = this.numbers.length - 1; i >= 0; i--) {
      const number = this.numbers[i] ?? 0;
      if (number === keep || this.schema.byNumber(number)?.oneof !== oneof) continue;
      this.numbers.splice(i, 1);
      this.items.splice(i, 1);
    }
  }

  occurrences(name: string): Item[] {
    const { number } = this.schema.field(name);
    const found: Item[] = [];
    for (let i = 0; i < this.numbers.length; i++) {
      const item = this.items[i];
      if (this.numbers[i] === number && item !== undefined && !(item instanceof Unknown)) found.push(item);
    }
    return found;
  }

  /** The occurrence that counts of a field that is not repeated. */
  last(field: string | Field): Item | undefined {
    const { number } = typeof field === "string" ? this.schema.field(field) : field;
    for (let i = this.numbers.length - 1; i >= 0; i--) {
      const item = this.items[i];
      if (this.numbers[i] === number && !(item instanceof Unknown)) return item;
    }
    return undefined;
  }

  has(name: string): boolean {
    return this.last(name) !== undefined;
  }

  /** An integer; beyond 2^53 the nearest number. */
  int(name: string): number | undefined {
    const item = this.last(name);
    return typeof item === "number" || typeof item === "bigint" ? Number(item) : undefined;
  }

  float(name: string): number | undefined {
    const item = this.last(name);
    return typeof item === "number" ? floatOfBits(item) : undefined;
  }

  text(name: string): string | undefined {
    const item = this.last(name);
    return item === undefined ? undefined : textOf(item, `${this.schema.name}.${name}`);
  }
  texts(name: string): string[] {
    return this.occurrences(name).map((item) => textOf(item, `${this.schema.name}.${name}`));
  }

  piece(name: string): Piece | undefined {
    const item = this.last(name);
    return isPiece(item) ? item : undefined;
  }
  pieces(name: string): Piece[] {
    return this.occurrences(name).filter(isPiece);
  }

  message(name: string): Message | undefined {
    const item = this.last(name);
    return item instanceof Message ? item : undefined;
  }
  messages(name: string): Message[] {
    return this.occurrences(name).filter((item) => item instanceof Message);
  }

  /** All elements of a repeated integer field. */
  ints(name: string): number[] {
    const out: number[] = [];
    for (const item of this.occurrences(name)) {
      if (typeof item === "number" || typeof item === "bigint") out.push(Number(item));
      else if (item instanceof Uint8Array) for (const x of varints(item)) out.push(Number(BigInt.asIntN(64, x)));
      else throw tooLong(`${this.schema.name}.${name}`);
    }
    return out;
  }

  /** All elements of a repeated float field. */
  floats(name: string): number[] {
    const out: number[] = [];
    for (const item of this.occurrences(name)) {
      if (typeof item === "number") out.push(floatOfBits(item));
      else if (item instanceof Uint8Array) {
        const view = new DataView(item.buffer, item.byteOffset, item.byteLength);
        for (let at = 0; at + 4 <= item.byteLength; at += 4) out.push(view.getFloat32(at, true));
      } else throw tooLong(`${this.schema.name}.${name}`);
    }
    return out;
  }
}

export function isPiece(item: Item | undefined): item is Piece {
  return item instanceof Uint8Array || (typeof item === "object" && "source" in item);
}

/** An item for an integer field; what lies beyond 64 bits is clamped, as exporters mean by "to the end". */
export function intItem(value: number): Item {
  if (Number.isSafeInteger(value)) return value;
  const whole = BigInt(Math.trunc(value));
  const max = 2n ** 63n - 1n;
  return whole > max ? max : whole < -max - 1n ? -max - 1n : whole;
}

const scratch = new DataView(new ArrayBuffer(4));
function floatOfBits(bits: number): number {
  scratch.setUint32(0, bits);
  return scratch.getFloat32(0);
}
export function floatItem(value: number): Item {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

export function bytesItem(text: string): Item {
  return encodeText(text);
}

/** Elements of a packed run of varints, as unsigned 64-bit numbers. The reader has seen that they are whole. */
export function* varints(bytes: Uint8Array): Generator<bigint> {
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte > 0x7f) continue;
    yield BigInt.asUintN(64, value);
    value = 0n;
    shift = 0n;
  }
}

function textOf(item: Item, where: string): string {
  if (typeof item === "string") return item;
  throw tooLong(where);
}

function tooLong(where: string): ModelFormatError {
  return new ModelFormatError(
    "field-too-long",
    `${where} is longer than any model needs`,
    "The file is damaged or made to harm; export the model again.",
  );
}
