/**
 * Who may use a device, across processes: any number of steps at once, or one that measures, alone. In a folder of the
 * system's temporary directory a file `shared-<pid>` stands for a process with steps running and `exclusive` for one that
 * measures. Files of dead processes count for nothing.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { isAlive } from "./alive.ts";
import { isCode } from "./blobs.ts";

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
      if (!this.#isHeldElsewhere()) break;
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
      while (this.#isSharedElsewhere()) await setTimeout(POLL_MS, undefined, { signal });
    } catch (error) {
      release();
      throw error;
    }
    return release;
  }

  #tryHold(mine: string): boolean {
    if (held.has(mine) || this.#isHeldElsewhere()) return false;
    try {
      writeFileSync(mine, String(process.pid), { flag: "wx" });
      held.add(mine);
      return true;
    } catch (error) {
      if (!isCode(error, "EEXIST")) throw error;
      if (!this.#isHeldElsewhere()) rmSync(mine, { force: true });
      return false;
    }
  }

  #isHeldElsewhere(): boolean {
    const path = this.#file("exclusive");
    try {
      return isAlive(Number(readFileSync(path, "utf8")), statSync(path).mtimeMs);
    } catch (error) {
      if (isCode(error, "ENOENT")) return false;
      throw error;
    }
  }

  #isSharedElsewhere(): boolean {
    return readdirSync(this.#folder).some((name) => {
      const pid = Number(/^shared-(\d+)$/.exec(name)?.[1] ?? process.pid);
      if (pid === process.pid) return false;
      const info = statSync(this.#file(name), { throwIfNoEntry: false });
      if (!info) return false;
      if (isAlive(pid, info.mtimeMs)) return true;
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

function once(release: () => void): () => void {
  let released = false;
  return () => {
    if (!released) release();
    released = true;
  };
}
