/** Whether a process that wrote its id into a file still lives: ids are used again, so its start must lie before that. */
import { readFileSync } from "node:fs";
import { isCode } from "./blobs.ts";

/** A kernel's tick and the clock's second are coarse. */
const TOLERANCE_MS = 3000;
/** Of /proc/PID/stat; 100 on every common Linux. */
const TICKS_A_SECOND = 100;

/**
 * `writtenAt`: when the id was written, ms since 1970. Our own id is alive only to us, who know what we hold: here it
 * counts as a dead process's of before a restart.
 */
export function isAlive(pid: number, writtenAt: number): boolean {
  if (pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return isCode(error, "EPERM");
  }
  const started = startedAt(pid);
  return started === undefined || started <= writtenAt + TOLERANCE_MS;
}

/** Start of a process, ms since 1970; undefined where the system does not tell. */
function startedAt(pid: number): number | undefined {
  try {
    const boot = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]);
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 22 (proc(5)), counted after the name, which may hold spaces.
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    const started = boot * 1000 + (ticks / TICKS_A_SECOND) * 1000;
    return Number.isFinite(started) ? started : undefined;
  } catch {
    return undefined;
  }
}
