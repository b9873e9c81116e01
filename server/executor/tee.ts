/**
 * One stream, several readers, in bounded memory: the source is pulled by whichever reader asks first, and a reader may
 * be at most `ahead` items before the slowest. Readers of one node must therefore be read in step, as pairs.
 */
import type { Stream } from "../../nodes/ports.ts";

const AHEAD = 8;

export interface Tee<T> {
  /** A reader, there from the start: what it does not read in time holds the others back, until it closes. */
  branch(): Stream<T>;
}

export function tee<T>(source: Stream<T>, ahead = AHEAD): Tee<T> {
  const iterator = source[Symbol.asyncIterator]();
  const readers = new Set<Reader<T>>();
  let pulling: Promise<void> | undefined;
  let end: { readonly error?: unknown } | undefined;
  let wake: (() => void) | undefined;

  async function pull(): Promise<void> {
    while ([...readers].some((reader) => reader.queue.length >= ahead)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    try {
      const next = await iterator.next();
      if (next.done) end = {};
      else for (const reader of readers) reader.queue.push(next.value);
    } catch (error) {
      end = { error };
    }
  }

  async function close(reader: Reader<T>): Promise<void> {
    if (!readers.delete(reader)) return;
    reader.queue.length = 0;
    wake?.();
    if (readers.size > 0 || end) return;
    end = {};
    await iterator.return?.();
  }

  return {
    branch() {
      const reader: Reader<T> = { queue: [] };
      readers.add(reader);
      const branch: AsyncIterableIterator<T> = {
        [Symbol.asyncIterator]: () => branch,
        async next() {
          for (;;) {
            if (!readers.has(reader)) return { done: true, value: undefined };
            if (reader.queue.length > 0) {
              const [value] = reader.queue.splice(0, 1);
              wake?.();
              if (value !== undefined) return { done: false, value };
              continue;
            }
            if (end) {
              readers.delete(reader);
              if ("error" in end) throw end.error;
              return { done: true, value: undefined };
            }
            pulling ??= pull().finally(() => {
              pulling = undefined;
            });
            await pulling;
          }
        },
        async return() {
          await close(reader);
          return { done: true, value: undefined };
        },
      };
      return source.total === undefined ? branch : Object.assign(branch, { total: source.total });
    },
  };
}

interface Reader<T> {
  readonly queue: T[];
}
