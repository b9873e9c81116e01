/**
 * When a unit may start: as many at once as the machine has cores (few that only read and write files more), and a
 * measuring one with nothing else of ours beside it. A measuring unit waits for a quiet moment; others never wait for
 * it to come, only for it to end.
 */
import type { Resource } from "../../nodes/define.ts";
import type { DeviceLock } from "../storage/deviceLock.ts";

const IO_SLOTS = 4;

export interface Need {
  readonly resources: ReadonlySet<Resource>;
  readonly measures: boolean;
}

interface Waiting {
  readonly need: Need;
  readonly start: () => void;
}

export class Schedule {
  readonly #running = new Set<Need>();
  readonly #waiting: Waiting[] = [];

  constructor(
    private readonly cores: number,
    private readonly lock: Pick<DeviceLock, "share" | "hold">,
  ) {}

  /** Resolves when the unit may start, with its release. Throws when the signal fires first. `waits`: not at once. */
  async acquire(need: Need, signal: AbortSignal, waits: () => void = () => {}): Promise<() => void> {
    const slot = this.#slot(need, signal);
    // Behind the turn in which the slot is given: what is free then has come before this runs.
    const late = setImmediate(waits);
    try {
      await slot;
      return await this.#locked(need, signal);
    } finally {
      clearImmediate(late);
    }
  }

  async #locked(need: Need, signal: AbortSignal): Promise<() => void> {
    const free = () => {
      this.#running.delete(need);
      this.#next();
    };
    try {
      const unlock = need.measures ? await this.lock.hold(signal) : await this.lock.share(signal);
      return () => {
        unlock();
        free();
      };
    } catch (error) {
      free();
      throw error;
    }
  }

  #slot(need: Need, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        need,
        start: () => {
          signal.removeEventListener("abort", cancel);
          this.#running.add(need);
          resolve();
        },
      };
      const cancel = () => {
        const at = this.#waiting.indexOf(entry);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal.reason);
      };
      if (signal.aborted) return cancel();
      signal.addEventListener("abort", cancel, { once: true });
      this.#waiting.push(entry);
      // In a later turn, so that a measuring unit does not start before others that became ready with it.
      setImmediate(() => this.#next());
    });
  }

  #next(): void {
    for (const entry of [...this.#waiting].sort((a, b) => Number(a.need.measures) - Number(b.need.measures))) {
      if (!this.#fits(entry.need)) continue;
      this.#waiting.splice(this.#waiting.indexOf(entry), 1);
      entry.start();
    }
  }

  #fits(need: Need): boolean {
    const running = [...this.#running];
    if (need.measures) return running.length === 0;
    if (running.some((other) => other.measures)) return false;
    const light = (other: Need) => !other.resources.has("cpu") && !other.resources.has("device");
    const limit = light(need) ? IO_SLOTS : this.cores;
    return running.filter((other) => light(other) === light(need)).length < limit;
  }
}
