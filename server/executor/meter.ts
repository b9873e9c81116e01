/** Time, items and progress of one node in a stage: its own time is what it was busy less what it waited for inputs. */
import type { Stream } from "../../nodes/ports.ts";
import type { StepProgress } from "./protocol.ts";

const MIN_INTERVAL_MS = 100;

export class Meter {
  #busyMs = 0;
  #waitingMs = 0;
  #ownProgress = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  #unsent: StepProgress | undefined;

  constructor(private readonly send: (progress: StepProgress) => void) {}

  get ms(): number {
    return Math.max(0, this.#busyMs - this.#waitingMs);
  }

  /** Adds the time until `work` settles. */
  async busy<T>(work: Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work;
    } finally {
      this.#busyMs += performance.now() - start;
    }
  }

  /** What the node says of its progress replaces the count of items. */
  report(progress: StepProgress): void {
    this.#ownProgress = true;
    this.#offer(progress);
  }

  /** A stream the node reads; where `counts`, its items are the node's progress. */
  input<T>(stream: Stream<T>, counts: boolean): Stream<T> {
    const wrapped = this.#timed(stream, (ms) => {
      this.#waitingMs += ms;
    });
    return counts ? this.#counted(wrapped) : wrapped;
  }

  /** A stream the node makes. */
  output<T>(stream: Stream<T>): Stream<T> {
    return this.#counted(
      this.#timed(stream, (ms) => {
        this.#busyMs += ms;
      }),
    );
  }

  /** Sends the last progress that was held back. */
  flush(): void {
    if (this.#unsent) this.send(this.#unsent);
    this.#unsent = undefined;
  }

  #offer(progress: StepProgress): void {
    const now = performance.now();
    if (now - this.#sentAt < MIN_INTERVAL_MS) {
      this.#unsent = progress;
      return;
    }
    this.#sentAt = now;
    this.#unsent = undefined;
    this.send(progress);
  }

  #counted<T>(stream: Stream<T>): Stream<T> {
    let done = 0;
    const { total } = stream;
    return mapNext(stream, async (next) => {
      const result = await next();
      if (!result.done) {
        done++;
        if (!this.#ownProgress) this.#offer({ done, ...(total !== undefined && { total }), unit: "frames" });
      }
      return result;
    });
  }

  #timed<T>(stream: Stream<T>, add: (ms: number) => void): Stream<T> {
    return mapNext(stream, async (next) => {
      const start = performance.now();
      try {
        return await next();
      } finally {
        add(performance.now() - start);
      }
    });
  }
}

/** The same stream, each of its `next` passed through `around`. */
export function mapNext<T>(
  stream: Stream<T>,
  around: (next: () => Promise<IteratorResult<T>>) => Promise<IteratorResult<T>>,
): Stream<T> {
  const inner = stream[Symbol.asyncIterator]();
  const outer: AsyncIterableIterator<T> = {
    [Symbol.asyncIterator]: () => outer,
    next: () => around(() => inner.next()),
    return: async () => (await inner.return?.()) ?? { done: true, value: undefined },
  };
  return stream.total === undefined ? outer : Object.assign(outer, { total: stream.total });
}
