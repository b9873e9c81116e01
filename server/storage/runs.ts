/**
 * Runs on disk: `runs/<runId>/request.json` (what was asked, the document as it stood) and `events.ndjson` (what
 * happened). A log is appended to and never rewritten; a crash can cut its last line only, which readers skip.
 */
import { randomBytes } from "node:crypto";
import { appendFileSync, closeSync, openSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../nodes/context.ts";
import { pipelineDocSchema } from "../../pipelines/document/doc.ts";
import { type RunEvent, type RunEventBody, runEventSchema } from "../../pipelines/document/events.ts";
import { isAlive } from "./alive.ts";
import { isCode } from "./blobs.ts";

const requestSchema = z.strictObject({
  /** Name of the pipeline; the document's own where the file has none. */
  pipeline: z.string(),
  target: z.string(),
  /** What runs, with all that was set. Absent where it cannot: the run then holds its diagnostics only. */
  doc: pipelineDocSchema.optional(),
  fresh: z.boolean(),
  /** Process that runs it. */
  pid: z.int(),
  time: z.string(),
});
export type RunRequest = z.output<typeof requestSchema>;

export type RunStatus = "queued" | "running" | "done" | "failed" | "cancelled";
export interface RunSummary {
  readonly runId: string;
  readonly pipeline: string;
  readonly target: string;
  readonly status: RunStatus;
  readonly startedAt: string;
  readonly finishedAt?: string;
}

const RUN_ID = /^[a-z0-9]{8,12}-[a-z0-9]{4}$/;

export class RunStore {
  readonly #folder: string;
  /** Of the runs of this process. */
  readonly #logs = new Map<string, EventLog>();

  constructor(home: string) {
    this.#folder = join(home, "runs");
  }

  /** Ids sort by time. */
  async create(request: RunRequest): Promise<string> {
    const runId = `${Date.now().toString(36)}-${randomBytes(2).toString("hex")}`;
    try {
      await mkdir(this.#path(runId));
    } catch (error) {
      if (isCode(error, "EEXIST")) return this.create(request);
      throw error;
    }
    await this.write(runId, request);
    return runId;
  }

  async write(runId: string, request: RunRequest): Promise<void> {
    const temp = join(this.#path(runId), "request.json.new");
    await writeFile(temp, JSON.stringify(request));
    await rename(temp, join(this.#path(runId), "request.json"));
  }

  async request(runId: string): Promise<RunRequest> {
    try {
      return requestSchema.parse(JSON.parse(await readFile(join(this.#path(runId), "request.json"), "utf8")));
    } catch (cause) {
      throw new UserError("unknown-run", `there is no run "${runId}"`, "edgewright runs lists them by id.", {
        cause,
      });
    }
  }

  events(runId: string): RunEvent[] {
    let text: string;
    try {
      text = readFileSync(join(this.#path(runId), "events.ndjson"), "utf8");
    } catch (error) {
      if (isCode(error, "ENOENT")) return [];
      throw error;
    }
    return text.split("\n").flatMap((line) => {
      const event = parseLine(line);
      return event ? [event] : [];
    });
  }

  open(runId: string): EventLog {
    const log = new EventLog(runId, join(this.#path(runId), "events.ndjson"), this.events(runId));
    this.#logs.set(runId, log);
    return log;
  }

  /** Newest first. */
  async list(filter: { readonly pipeline?: string | undefined } = {}, limit = 200): Promise<RunSummary[]> {
    const found: RunSummary[] = [];
    for (const runId of (await readdir(this.#folder))
      .filter((name) => RUN_ID.test(name))
      .sort()
      .reverse()) {
      if (found.length >= limit) break;
      const request = await this.request(runId).catch(() => undefined);
      if (!request || (filter.pipeline !== undefined && request.pipeline !== filter.pipeline)) continue;
      const last = this.events(runId).at(-1);
      const { pipeline, target, time } = request;
      const status = last?.type === "run.finished" ? last.status : last ? "running" : "queued";
      const ended = last?.type === "run.finished" ? { finishedAt: last.time } : {};
      found.push({ runId, pipeline, target, status, startedAt: time, ...ended });
    }
    return found;
  }

  /** Runs without an end whose process is gone: oldest first. */
  async abandoned(): Promise<readonly string[]> {
    const ids = (await this.list({}, Number.POSITIVE_INFINITY)).filter(({ finishedAt }) => finishedAt === undefined);
    const gone: string[] = [];
    for (const { runId } of ids) if (await this.#isAbandoned(runId)) gone.push(runId);
    return gone.reverse();
  }

  async #isAbandoned(runId: string): Promise<boolean> {
    if (this.#logs.get(runId)?.isOpen) return false;
    const { mtimeMs } = await stat(join(this.#path(runId), "request.json"));
    return !isAlive((await this.request(runId)).pid, mtimeMs);
  }

  #path(runId: string): string {
    if (!RUN_ID.test(runId))
      throw new UserError("unknown-run", `"${runId}" is no run id`, "edgewright runs lists them by id.");
    return join(this.#folder, runId);
  }
}

/** One run's events: on disk, and to whoever listens. */
export class EventLog {
  readonly #events: RunEvent[];
  readonly #listeners = new Set<() => void>();
  #fd: number | undefined;
  /** The last line may be cut short: the next one begins on its own. */
  #torn: boolean;

  constructor(
    private readonly runId: string,
    path: string,
    events: readonly RunEvent[],
  ) {
    this.#events = [...events];
    this.#fd = openSync(path, "a");
    this.#torn = events.length > 0;
  }

  get isOpen(): boolean {
    return this.#fd !== undefined;
  }

  append(body: RunEventBody): void {
    if (this.#fd === undefined) return;
    const seq = (this.#events.at(-1)?.seq ?? -1) + 1;
    const event: RunEvent = { runId: this.runId, seq, time: new Date().toISOString(), ...body };
    try {
      appendFileSync(this.#fd, `${this.#torn ? "\n" : ""}${JSON.stringify(event)}\n`);
      this.#torn = false;
    } catch (error) {
      // The run goes on for those who watch; what ends it is the step that meets the full disk.
      if (!isCode(error, "ENOSPC")) throw error;
      this.#torn = true;
    }
    this.#events.push(event);
    for (const listener of this.#listeners) listener();
    if (event.type === "run.finished") {
      closeSync(this.#fd);
      this.#fd = undefined;
    }
  }

  /** Events after `afterSeq`, those to come included, until the run ends or the signal fires. */
  async *watch(afterSeq: number, signal?: AbortSignal): AsyncGenerator<RunEvent> {
    let at = this.#events.findIndex((event) => event.seq > afterSeq);
    if (at < 0) at = this.#events.length;
    while (!signal?.aborted) {
      const event = this.#events[at];
      if (event) {
        at++;
        yield event;
        if (event.type === "run.finished") return;
        continue;
      }
      if (this.#fd === undefined) return;
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#listeners.delete(done);
          signal?.removeEventListener("abort", done);
          resolve();
        };
        this.#listeners.add(done);
        signal?.addEventListener("abort", done);
      });
    }
  }

  /** Stops without an end: the run stays open on disk, to be resumed. */
  abandon(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    for (const listener of this.#listeners) listener();
  }
}

function parseLine(line: string): RunEvent | undefined {
  try {
    return runEventSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
