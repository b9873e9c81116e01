/** The streams of one job: who reads what is known before anything runs, so that no reader misses an item. */
import { isStreamKind, type PortKind, type Stream } from "../../nodes/ports.ts";
import { mapNext } from "./meter.ts";
import type { Binding, Job } from "./protocol.ts";
import { tee } from "./tee.ts";

export type AnyStream = Stream<unknown>;

export class Wires {
  readonly #branches = new Map<string, AnyStream>();

  constructor(private readonly job: Job) {}

  /**
   * Gives every reader of `node.port` its branch; the promise resolves when the stream has ended or failed, or nobody
   * reads it any more.
   */
  open(node: string, port: string, stream: AnyStream): Promise<void> {
    return new Promise((resolve) => {
      const source = withEnd(stream, resolve);
      const readers = this.#readers(node, port);
      const shared = tee(source);
      for (const reader of readers) this.#branches.set(reader, shared.branch());
      if (readers.length === 0) void source.return();
    });
  }

  /** The branch of a reader; undefined where its producer failed. */
  branch(reader: string): AnyStream | undefined {
    return this.#branches.get(reader);
  }

  /** Lets the other readers of the same streams go on without this node. */
  async close(node: string): Promise<void> {
    for (const [reader, branch] of this.#branches) {
      if (reader.startsWith(`${node}/`)) await branch[Symbol.asyncIterator]().return?.();
    }
  }

  #readers(node: string, port: string): string[] {
    const readers: string[] = [];
    for (const consumer of this.job.nodes) {
      if (consumer.id === node && (consumer.keep.includes(port) || consumer.role === "probe")) {
        readers.push(keeper(node, port));
      }
      for (const [input, bindings] of Object.entries(consumer.inputs)) {
        for (const [i, binding] of bindings.entries()) {
          if (reads(binding, node, port)) readers.push(inputReader(consumer.id, input, i));
        }
      }
    }
    return readers;
  }
}

/** The reader that writes a kept stream, or takes the first item of a probed one. */
export function keeper(node: string, port: string): string {
  return `${node}/keep/${port}`;
}
export function inputReader(node: string, port: string, index: number): string {
  return `${node}/in/${port}/${index}`;
}

export function hasStream(ports: Readonly<Record<string, { readonly kind: PortKind }>>): boolean {
  return Object.values(ports).some(({ kind }) => isStreamKind(kind));
}

function reads(binding: Binding, node: string, port: string): boolean {
  return binding.from === "stream" && binding.node === node && binding.port === port;
}

function withEnd(stream: AnyStream, ended: () => void): AnyStream & { return(): Promise<unknown> } {
  const wrapped = mapNext(stream, async (next) => {
    try {
      const result = await next();
      if (result.done) ended();
      return result;
    } catch (error) {
      ended();
      throw error;
    }
  });
  const inner = wrapped[Symbol.asyncIterator]();
  const outer = {
    [Symbol.asyncIterator]: () => outer,
    next: () => inner.next(),
    return: async () => {
      try {
        return (await inner.return?.()) ?? { done: true as const, value: undefined };
      } finally {
        ended();
      }
    },
  };
  return stream.total === undefined ? outer : Object.assign(outer, { total: stream.total });
}
