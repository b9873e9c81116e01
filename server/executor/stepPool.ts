/**
 * Step processes: forked, kept warm between jobs, killed where a job is cancelled, too slow or too large. A process can
 * end at any moment (native code may abort it); its job then ends with what it has not finished yet as failed.
 */
import { type ChildProcess, execFile, fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { OperationalError } from "../../nodes/context.ts";
import type { Job, StepMessage } from "./protocol.ts";

export interface StepLimits {
  readonly timeoutMs: number;
  /** Resident memory of one step process, bytes. */
  readonly memoryBytes: number;
}

export interface JobHandlers {
  readonly signal: AbortSignal;
  /** Takes a process that ran nothing yet: its memory and caches are nobody's. */
  readonly untouched: boolean;
  message(message: StepMessage): void;
}

const WATCH_MS = 200;
const STDERR_TAIL = 2000;
/** A process that holds more than this after a job is not kept. */
const KEEP_BELOW_BYTES = 700 * 2 ** 20;

export class StepPool implements Disposable {
  readonly #idle: { readonly child: ChildProcess; readonly used: boolean }[] = [];
  readonly #busy = new Set<ChildProcess>();
  /** Processes whose job has just ended, on their way to be kept. */
  readonly #releasing = new Set<Promise<void>>();
  #closed = false;

  constructor(
    private readonly options: { readonly module: string; readonly limits: StepLimits; readonly warm: number },
  ) {}

  /** Forks processes ahead of need: where one is wanted, others soon are. */
  warmUp(): void {
    while (!this.#closed && this.#idle.length + this.#busy.size < this.options.warm) {
      this.#idle.push({ child: this.#fork(), used: false });
    }
  }

  /** Resolves when the job is done, whatever its nodes' outcomes; throws when its process was ended or ended itself. */
  async run(job: Job, handlers: JobHandlers): Promise<void> {
    handlers.signal.throwIfAborted();
    // A millisecond's wait, where another process would take a hundred to start.
    await Promise.all(this.#releasing);
    handlers.signal.throwIfAborted();
    const child = this.#take(handlers.untouched);
    this.#busy.add(child);
    if (!handlers.untouched) this.warmUp();
    let stderr = "";
    const onStderr = (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-STDERR_TAIL);
    };
    child.stderr?.on("data", onStderr);
    const watch = new AbortController();
    try {
      await new Promise<void>((resolve, reject) => {
        let reason: Error | undefined;
        const end = (error: Error) => {
          reason ??= error;
          child.kill("SIGKILL");
        };
        const onAbort = () => end(new OperationalError("cancelled", "the run was cancelled"));
        handlers.signal.addEventListener("abort", onAbort, { signal: watch.signal });
        this.#watch(child, end, watch.signal);
        const onMessage = (message: StepMessage) => {
          if (message.type === "idle") resolve();
          else handlers.message(message);
        };
        const onExit = (code: number | null, signal: string | null) =>
          reject(reason ?? crash({ code, signal, stderr }));
        child.on("message", onMessage).on("error", reject).on("exit", onExit);
        watch.signal.addEventListener("abort", () => {
          child.off("message", onMessage).off("error", reject).off("exit", onExit);
        });
        child.send(job);
        if (handlers.signal.aborted) onAbort();
      });
    } finally {
      watch.abort();
      this.#busy.delete(child);
      child.stderr?.off("data", onStderr);
      const release = this.#release(child).finally(() => this.#releasing.delete(release));
      this.#releasing.add(release);
      await release;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Ends every process. */
  close(): void {
    this.#closed = true;
    for (const { child } of this.#idle.splice(0)) child.kill("SIGKILL");
    for (const child of this.#busy) child.kill("SIGKILL");
  }

  #take(untouched: boolean): ChildProcess {
    for (;;) {
      const at = untouched ? this.#idle.findIndex(({ used }) => !used) : this.#idle.length - 1;
      const [found] = at >= 0 ? this.#idle.splice(at, 1) : [];
      if (!found) return this.#fork();
      if (found.child.connected && found.child.exitCode === null) return ready(found.child);
    }
  }

  async #release(child: ChildProcess): Promise<void> {
    const bytes = await residentBytes(child.pid);
    const alive = child.connected && child.exitCode === null && !child.killed;
    const keep = alive && (bytes ?? 0) < KEEP_BELOW_BYTES && !this.#closed;
    if (keep && this.#idle.length < this.options.warm) {
      child.unref();
      child.channel?.unref();
      this.#idle.push({ child, used: true });
    } else child.kill("SIGKILL");
  }

  #fork(): ChildProcess {
    const child = fork(this.options.module, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "json",
      // The C library keeps a heap for each thread that ever allocated, eight a core: two hold 30 MB less at equal speed.
      env: { MALLOC_ARENA_MAX: "2", ...process.env },
      // Tensors live outside the heap: a small young generation costs them nothing and holds 30 MB less. Source maps would
      // be read at every start; NODE_OPTIONS=--enable-source-maps reads them for who looks for a fault.
      execArgv: ["--max-semi-space-size=4"],
    });
    // Drained, so that a talkative library never blocks; nothing of it may reach our own output.
    child.stdout?.resume();
    child.stderr?.resume();
    // Outside a job nobody waits for a process: its failure shows when it is taken.
    child.on("error", () => {});
    return child;
  }

  #watch(child: ChildProcess, end: (error: Error) => void, signal: AbortSignal): void {
    const { timeoutMs, memoryBytes } = this.options.limits;
    const timeout = setTimeout(() => {
      const message = `the step took longer than ${Math.round(timeoutMs / 1000)} s`;
      end(new OperationalError("timeout", message, "Give it less to do, or raise EDGEWRIGHT_STEP_TIMEOUT (seconds)."));
    }, timeoutMs);
    const memory = setInterval(async () => {
      const bytes = await residentBytes(child.pid);
      if (signal.aborted || (bytes ?? 0) <= memoryBytes) return;
      const message = `the step used more than ${Math.round(memoryBytes / 2 ** 20)} MB of memory`;
      end(new OperationalError("memory-limit", message, "Give it less to do, or raise EDGEWRIGHT_STEP_MEMORY (MB)."));
    }, WATCH_MS);
    signal.addEventListener("abort", () => {
      clearTimeout(timeout);
      clearInterval(memory);
    });
  }
}

function ready(child: ChildProcess): ChildProcess {
  child.ref();
  child.channel?.ref();
  return child;
}

function crash(end: { code: number | null; signal: string | null; stderr: string }): Error {
  const how = end.signal ? `was ended by ${end.signal}` : `ended with code ${end.code}`;
  const said = end.stderr.trim().split("\n").at(-1);
  return new OperationalError(
    "crashed",
    `the process of this step ${how}${said ? `: ${said}` : ""}`,
    "Run again; if it happens each time, the native library cannot handle this model.",
  );
}

/** Resident memory of a process; undefined where the system does not tell. */
async function residentBytes(pid: number | undefined): Promise<number | undefined> {
  if (pid === undefined) return undefined;
  try {
    const kilobytes =
      process.platform === "linux"
        ? /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]
        : (await promisify(execFile)("ps", ["-o", "rss=", "-p", String(pid)])).stdout;
    return kilobytes ? Number(kilobytes) * 1024 : undefined;
  } catch {
    return undefined;
  }
}
