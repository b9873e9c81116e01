/**
 * WebAssembly in its binary form (core specification 2.0, sections 5 and 7), as far as kernels of vectors need it: four
 * numbers at a time where JavaScript takes one. Instructions are bytes; a function is written as lists of them.
 */

export type Code = readonly number[];

const I32 = 0x7f;
const V128 = 0x7b;
const FUNCTION = 0x60;
const EMPTY = 0x40;
const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const END = 0x0b;
const BRANCH = 0x0c;
const BRANCH_IF = 0x0d;
const BELOW = 0x49;
const FROM = 0x4f;

const unsigned = (value: number): Code => (value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]);
function signed(value: number): Code {
  const rest = value >> 7;
  const last = (rest === 0 && (value & 64) === 0) || (rest === -1 && (value & 64) !== 0);
  return last ? [value & 127] : [(value & 127) | 128, ...signed(rest)];
}

const vector = (operation: number, ...immediate: Code): Code => [0xfd, ...unsigned(operation), ...immediate];
const bytesOf = (values: Float64Array | Int32Array): Code => [...new Uint8Array(values.buffer)];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: [0x6a],
  shiftLeft: [0x74],
  load: (offset: number): Code => [0x28, 2, ...unsigned(offset)],
  store: (offset: number): Code => [0x36, 2, ...unsigned(offset)],
} as const;

export const local = {
  get: (index: number): Code => [0x20, ...unsigned(index)],
  set: (index: number): Code => [0x21, ...unsigned(index)],
} as const;

/** Vectors of 128 bits; `offset` in bytes, beside the address on the stack. */
export const v128 = {
  load: (offset: number): Code => vector(0x00, 0, ...unsigned(offset)),
  store: (offset: number): Code => vector(0x0b, 0, ...unsigned(offset)),
  /** One word, four times. */
  loadSplat: (offset: number): Code => vector(0x09, 0, ...unsigned(offset)),
  /** One word, and three zeros. */
  loadWord: (offset: number): Code => vector(0x5c, 0, ...unsigned(offset)),
  integers: (value: number): Code => vector(0x0c, ...bytesOf(Int32Array.of(value, value, value, value))),
  doubles: (value: number): Code => vector(0x0c, ...bytesOf(Float64Array.of(value, value))),
  /** Four of the eight words of two vectors, by their numbers. */
  words: (numbers: Code): Code => vector(0x0d, ...numbers.flatMap((n) => [4 * n, 4 * n + 1, 4 * n + 2, 4 * n + 3])),
  and: vector(0x4e),
  or: vector(0x50),
  /** Bits of the first where the third has them set, else of the second. */
  bitselect: vector(0x52),
  greater: vector(0x3b),
  shiftLeft: vector(0xab),
  leastInteger: vector(0xb6),
  floatBelow: vector(0x43),
  floatFrom: vector(0x46),
  /** The second where it is less, or greater, than the first; the first where either is a NaN. */
  leastFloat: vector(0xea),
  greatestFloat: vector(0xeb),
  /** 1 where any bit is set. */
  any: vector(0x53),
  /** The two low floats as doubles. */
  promote: vector(0x5f),
  addDoubles: vector(0xf0),
  multiplyDoubles: vector(0xf2),
  /** Two doubles towards zero, as the two low integers. */
  truncate: vector(0xfc),
} as const;

/** Runs `body` with the local `counter` at 0, `step` and so on below the local `limit`; once at least. */
export function loop(counter: number, step: number, limit: number, body: Code): Code {
  const next = [...local.get(counter), ...i32.const(step), ...i32.add, ...local.set(counter)];
  const again = [...local.get(counter), ...local.get(limit), BELOW, BRANCH_IF, 0];
  return [...i32.const(0), ...local.set(counter), LOOP, EMPTY, ...body, ...next, ...again, END];
}

/** Runs `body` while the local `counter`, from what it is and in steps, is below the local `limit`. */
export function whileBelow(counter: number, step: number, limit: number, body: Code): Code {
  const leave = [...local.get(counter), ...local.get(limit), FROM, BRANCH_IF, 1];
  const next = [...local.get(counter), ...i32.const(step), ...i32.add, ...local.set(counter), BRANCH, 0];
  return [BLOCK, EMPTY, LOOP, EMPTY, ...leave, ...body, ...next, END, END];
}

export function when(condition: Code, body: Code): Code {
  return [...condition, IF, EMPTY, ...body, END];
}

export interface WasmFunction {
  /** All are i32; none is returned. */
  readonly parameters: number;
  /** Further locals, behind the parameters: i32 first. */
  readonly integers: number;
  readonly vectors: number;
  readonly body: Code;
}

const vec = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes];
const section = (id: number, items: readonly Code[]): Code => [id, ...sized(vec(items))];
const named = (name: string): Code => sized([...new TextEncoder().encode(name)]);

/** A module that imports its memory as `env.memory` and exports the functions by their names. */
export function wasmModule(functions: Readonly<Record<string, WasmFunction>>): Uint8Array<ArrayBuffer> {
  const all = Object.entries(functions);
  const types = all.map(([, f]) => [FUNCTION, ...vec(Array.from({ length: f.parameters }, () => [I32])), 0]);
  const memory = [...named("env"), ...named("memory"), 2, 0, 1];
  const exported = all.map(([name], i) => [...named(name), 0, ...unsigned(i)]);
  const codes = all.map(([, { integers, vectors, body }]) => {
    const locals = vec([
      [...unsigned(integers), I32],
      [...unsigned(vectors), V128],
    ]);
    return sized([...locals, ...body, END]);
  });
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, [memory]),
    ...section(3, [...all.keys()].map(unsigned)),
    ...section(7, exported),
    ...section(10, codes),
  ]);
}
