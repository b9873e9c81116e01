/**
 * Who may use a device, across processes: any number of steps at once, or one that measures, alone. In a folder of the
 * system's temporary directory a file `shared-<pid>` stands for a process with steps running and `exclusive` for one that
 * measures. Files of dead processes count for nothing.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const POLL_MS = 100;
/** Files this process holds: one with our process id that is not among them is from a dead process of the same id. */
const held = new Set<string>();

export class DeviceLock {
  readonly #folder: string;
  #sharers = 0;

  constructor(device: string, parent = tmpdir()) {
    this.#folder = join(parent, `edgewright-${userInfo().uid}`, device);
    mkdirSync(this.#folder, { recursive: true });
  }

  /** Resolves with the release. Throws when the signal fires first. */
  async share(signal: AbortSignal): Promise<() => void> {
    const mine = this.#file(`shared-${process.pid}`);
    for (;;) {
      if (this.#sharers === 0) writeFileSync(mine, "");
      this.#sharers++;
      if (!this.#othersMeasure()) break;
      this.#leave(mine);
      await setTimeout(POLL_MS, undefined, { signal });
    }
    return once(() => this.#leave(mine));
  }

  async hold(signal: AbortSignal): Promise<() => void> {
    const mine = this.#file("exclusive");
    while (!this.#tryHold(mine)) await setTimeout(POLL_MS, undefined, { signal });
    const release = once(() => {
      held.delete(mine);
      rmSync(mine, { force: true });
    });
    try {
      while (this.#othersShare()) await setTimeout(POLL_MS, undefined, { signal });
    } catch (error) {
      release();
      throw error;
    }
    return release;
  }

  #tryHold(mine: string): boolean {
    try {
      writeFileSync(mine, String(process.pid), { flag: "wx" });
      held.add(mine);
      return true;
    } catch (error) {
      if (!isCode(error, "EEXIST")) throw error;
      const holder = this.#holder();
      const stale = holder === process.pid ? !held.has(mine) : !lives(holder);
      if (stale) rmSync(mine, { force: true });
      return false;
    }
  }

  #holder(): number {
    try {
      return Number(readFileSync(this.#file("exclusive"), "utf8"));
    } catch {
      return 0;
    }
  }

  #othersMeasure(): boolean {
    const holder = this.#holder();
    return holder !== process.pid && lives(holder);
  }

  #othersShare(): boolean {
    return readdirSync(this.#folder).some((name) => {
      const pid = Number(/^shared-(\d+)$/.exec(name)?.[1] ?? 0);
      if (pid === 0 || pid === process.pid) return false;
      if (lives(pid)) return true;
      rmSync(this.#file(name), { force: true });
      return false;
    });
  }

  #leave(mine: string): void {
    this.#sharers--;
    if (this.#sharers === 0) rmSync(mine, { force: true });
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}

function lives(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, "EPERM");
  }
}

function once(release: () => void): () => void {
  let released = false;
  return () => {
    if (!released) release();
    released = true;
  };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
