/**
 * A program as its user meets it: wall-clock seconds from start to exit, CPU seconds and the peak of resident memory, both
 * summed over the process and its children. Read from /proc every few milliseconds, so on Linux alone; elsewhere only the
 * time is known.
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const SAMPLE_MS = 10;
/** Linux counts CPU time in ticks of this many a second (sysconf(_SC_CLK_TCK)). */
const TICKS = 100;
const PAGE_BYTES = 4096;

export interface ProcessFigures {
  readonly seconds: number;
  readonly cpuSeconds?: number;
  readonly peakRssBytes?: number;
  /** The largest of the processes alone. */
  readonly largestRssBytes?: number;
}

export interface Ended extends ProcessFigures {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
}

export async function measuredProcess(
  command: string,
  args: readonly string[],
  { env, cwd, timeoutSeconds = 600 }: ProcessOptions = {},
): Promise<Ended> {
  const started = performance.now();
  const child = spawn(command, args, { env: { ...process.env, ...env }, cwd, stdio: ["ignore", "pipe", "pipe"] });
  const peak = { ticks: 0, bytes: 0, largest: 0 };
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    said.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    said.stderr = (said.stderr + chunk).slice(-20_000);
  });
  const ticksOf = new Map<number, number>();
  const timer = setInterval(() => sample(child.pid, ticksOf, peak), SAMPLE_MS);
  const limit = setTimeout(() => child.kill("SIGKILL"), timeoutSeconds * 1000);
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.on("close", resolve).on("error", reject);
    });
    const seconds = (performance.now() - started) / 1000;
    const known = peak.bytes > 0;
    return {
      status,
      ...said,
      seconds,
      ...(known && { cpuSeconds: peak.ticks / TICKS, peakRssBytes: peak.bytes, largestRssBytes: peak.largest }),
    };
  } finally {
    clearInterval(timer);
    clearTimeout(limit);
  }
}

/** Adds up the tree; a process that has ended keeps the ticks last seen of it. */
function sample(
  root: number | undefined,
  ticksOf: Map<number, number>,
  peak: { ticks: number; bytes: number; largest: number },
): void {
  if (root === undefined) return;
  let bytes = 0;
  for (const pid of treeOf(root)) {
    const stat = readStat(pid);
    if (!stat) continue;
    ticksOf.set(pid, stat.ticks);
    bytes += stat.bytes;
    peak.largest = Math.max(peak.largest, stat.bytes);
  }
  peak.bytes = Math.max(peak.bytes, bytes);
  peak.ticks = [...ticksOf.values()].reduce((a, b) => a + b, 0);
}

function treeOf(root: number): readonly number[] {
  const found = [root];
  for (const pid of found) {
    try {
      for (const task of readdirSync(`/proc/${pid}/task`)) {
        const children = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim();
        if (children) found.push(...children.split(" ").map(Number));
      }
    } catch {
      // It ended between two reads.
    }
  }
  return found;
}

/** User and system time of the process itself, and its resident pages (proc(5), fields 14, 15 and 24). */
function readStat(pid: number): { readonly ticks: number; readonly bytes: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { ticks: Number(fields[11]) + Number(fields[12]), bytes: Number(fields[21]) * PAGE_BYTES };
  } catch {
    return undefined;
  }
}
