/** A process that fills the store before its run exists says so: `tmp/lease-<pid>`; `clean` then keeps what it made. */
import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "./alive.ts";

export function takeLease(home: string): Disposable {
  const path = join(home, "tmp", `lease-${process.pid}`);
  writeFileSync(path, "");
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

/** When the oldest lease of a living process was taken, ms since 1970; Infinity where there is none. */
export function oldestLease(home: string): number {
  let oldest = Number.POSITIVE_INFINITY;
  for (const name of readdirSync(join(home, "tmp"))) {
    const pid = Number(/^lease-(\d+)$/.exec(name)?.[1] ?? 0);
    const taken = pid > 0 ? statSync(join(home, "tmp", name), { throwIfNoEntry: false })?.mtimeMs : undefined;
    if (taken !== undefined && isAlive(pid, taken)) oldest = Math.min(oldest, taken);
  }
  return oldest;
}
