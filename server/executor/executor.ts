/**
 * The executor: takes documents, runs them one after another, each as a log of events. Everything it needs of the
 * machine is handed in; it is the same behind the server, the terminal and the tests.
 */
import { setMaxListeners } from "node:events";
import type { Diagnostic } from "../../nodes/define.ts";
import type { PipelineDoc } from "../../pipelines/document/doc.ts";
import type { RunEvent, RunOutput } from "../../pipelines/document/events.ts";
import type { NodeDefs } from "../../pipelines/document/graph.ts";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";
import type { LastResults } from "../storage/lastResults.ts";
import type { EventLog, RunRequest, RunStore, RunSummary } from "../storage/runs.ts";
import { describeError } from "./errors.ts";
import { type ExecutionServices, executeRun, type RunResult } from "./execute.ts";
import type { KeyParts } from "./key.ts";
import { type Plan, planRun } from "./plan.ts";
import { type PrepareContext, type Prepared, prepare, type Submission } from "./prepare.ts";

export interface ExecutorOptions extends ExecutionServices {
  readonly defs: NodeDefs;
  readonly runs: RunStore;
  readonly last: LastResults<KeyParts>;
  readonly targets: readonly DeviceProfile[];
  /** Asked before each run: a part may be set up meanwhile. */
  capabilities(): Promise<ReadonlySet<string>>;
  readonly capabilityFixes: Readonly<Record<string, string>>;
  /** Adds path and, for reports, value. */
  describeOutput(ref: RunOutput): Promise<RunOutput>;
  /** Called after each run that made something: the moment to trim the store. */
  afterRun?(): Promise<void>;
  readonly concurrentRuns?: number;
}

interface OpenRun {
  readonly log: EventLog;
  readonly cancel: AbortController;
  readonly end: Promise<void>;
}

export class Executor {
  readonly #open = new Map<string, OpenRun>();
  readonly #queue: (() => Promise<void>)[] = [];
  #running = 0;
  #closed = false;

  constructor(private readonly options: ExecutorOptions) {}

  /** A document that cannot run gives a run too: its only news is its end, with what is wrong. */
  async submit(submission: Submission): Promise<{ readonly runId: string }> {
    const { runs } = this.options;
    const prepared = await prepare(submission, await this.prepareContext());
    const { doc } = prepared;
    const { name, target, fresh = false } = submission;
    const request: RunRequest = {
      pipeline: name ?? doc?.name ?? nameIn(submission.doc),
      target: doc?.target ?? target ?? "local-cpu",
      ...(doc && { doc }),
      fresh,
      pid: process.pid,
      time: new Date().toISOString(),
    };
    const runId = await runs.create(request);
    this.#enqueue(runId, request, prepared);
    return { runId };
  }

  /** What a document is checked against before it runs. */
  async prepareContext(): Promise<PrepareContext> {
    const { defs, targets, capabilityFixes } = this.options;
    const capabilities = await this.options.capabilities();
    const verifySource: PrepareContext["verifySource"] = (source, context) =>
      this.options.ingest.verify(source, context);
    return { defs, targets: targets.map(({ id }) => id), capabilities, capabilityFixes, verifySource };
  }

  /** Takes up the runs that a dead process left open. Returns their ids. */
  async resume(): Promise<readonly string[]> {
    const { runs } = this.options;
    const ids = (await runs.abandoned()).filter((id) => !this.#open.has(id));
    for (const runId of ids) {
      const request = { ...(await runs.request(runId)), pid: process.pid };
      await runs.write(runId, request);
      const { doc } = request;
      this.#enqueue(runId, request, { ...(doc && { doc }), diagnostics: [] });
    }
    return ids;
  }

  /** Resolves when the run has ended, a second at most after the call. False where no such run is open. */
  async cancel(runId: string): Promise<boolean> {
    const run = this.#open.get(runId);
    run?.cancel.abort(new DOMException("the run was cancelled", "AbortError"));
    await run?.end;
    return run !== undefined;
  }

  /** Events after `afterSeq` (-1: all), until the run ends or the signal fires. */
  async *watch(runId: string, afterSeq = -1, signal?: AbortSignal): AsyncGenerator<RunEvent> {
    const run = this.#open.get(runId);
    if (run) return yield* run.log.watch(afterSeq, signal);
    await this.options.runs.request(runId);
    for (const event of this.options.runs.events(runId)) if (event.seq > afterSeq) yield event;
  }

  list(filter: { readonly pipeline?: string | undefined } = {}): Promise<RunSummary[]> {
    return this.options.runs.list(filter);
  }

  /** The whole log so far. */
  async events(runId: string): Promise<RunEvent[]> {
    await this.options.runs.request(runId);
    return this.options.runs.events(runId);
  }

  /** What ran, with all that was set; undefined where it could not. */
  async document(runId: string): Promise<PipelineDoc | undefined> {
    return (await this.options.runs.request(runId)).doc;
  }

  /** Runs that have not ended. */
  get openRuns(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** Stops at once. Open runs stay open on disk; the next process takes them up. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const run of this.#open.values()) run.log.abandon();
    for (const run of this.#open.values()) run.cancel.abort(new DOMException("closing", "AbortError"));
    this.options.pool.close();
    await Promise.all([...this.#open.values()].map((run) => run.end));
  }

  #enqueue(runId: string, request: RunRequest, prepared: Prepared): void {
    const log = this.options.runs.open(runId);
    const cancel = new AbortController();
    // A listener for each step that waits or runs: as many as the pipeline has nodes.
    setMaxListeners(0, cancel.signal);
    const end = new Promise<void>((resolve) => {
      const work = async () => {
        await this.#run(request, prepared, { log, signal: cancel.signal });
        this.#open.delete(runId);
        resolve();
      };
      this.#queue.push(work);
      // A run cancelled while it waits need not wait.
      cancel.signal.addEventListener("abort", () => {
        const at = this.#queue.indexOf(work);
        if (at >= 0) this.#queue.splice(at, 1).map((run) => run());
      });
    });
    this.#open.set(runId, { log, cancel, end });
    this.#next();
  }

  #next(): void {
    while (!this.#closed && this.#running < (this.options.concurrentRuns ?? 1)) {
      const work = this.#queue.shift();
      if (!work) return;
      this.#running++;
      void work().finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }

  /** Never throws: whatever happens, the log says how the run ended. */
  async #run(
    request: RunRequest,
    { doc, diagnostics }: Prepared,
    { log, signal }: { readonly log: EventLog; readonly signal: AbortSignal },
  ): Promise<void> {
    const { pipeline, target } = request;
    const said = diagnostics.length > 0 ? { diagnostics: [...diagnostics] } : {};
    let worked = true;
    try {
      const plan = doc && planRun(this.options.defs, doc);
      const order = plan ? [...plan.nodes.keys()] : [];
      log.append({ type: "run.started", pipeline, target, plan: order, ...said });
      const result = plan && doc && (await this.#execute({ plan, doc, request, log, signal }));
      worked = result?.worked ?? false;
      const outputs = result ? await this.#describe(result) : {};
      const status = signal.aborted ? "cancelled" : result && !result.failed ? "done" : "failed";
      log.append({ type: "run.finished", status, outputs, ...said });
    } catch (error) {
      const { code, message, fix } = describeError(error);
      const bug: Diagnostic = { code, severity: "error", message, ...(fix !== undefined && { fix }) };
      log.append({ type: "run.finished", status: "failed", outputs: {}, diagnostics: [bug] });
    }
    if (worked) await this.options.afterRun?.().catch(() => {});
  }

  async #execute(run: {
    readonly plan: Plan;
    readonly doc: PipelineDoc;
    readonly request: RunRequest;
    readonly log: EventLog;
    readonly signal: AbortSignal;
  }): Promise<RunResult> {
    const { plan, doc, request, log, signal } = run;
    const target = this.options.targets.find(({ id }) => id === doc.target);
    if (!target) throw new Error(`the target ${doc.target} is gone`);
    const last = await this.options.last.read(request.pipeline);
    const { fresh } = request;
    try {
      return await executeRun(this.options, { plan, target, fresh, signal, last, emit: (event) => log.append(event) });
    } finally {
      await this.options.last.write(request.pipeline, last).catch(() => {});
    }
  }

  async #describe({ outputs }: RunResult): Promise<Record<string, Record<string, RunOutput>>> {
    const described: Record<string, Record<string, RunOutput>> = {};
    for (const [node, ports] of Object.entries(outputs)) {
      const mine: Record<string, RunOutput> = {};
      for (const [port, ref] of Object.entries(ports)) mine[port] = await this.options.describeOutput(ref);
      described[node] = mine;
    }
    return described;
  }
}

/** The name in a document that could not be read, where it has one. */
function nameIn(raw: unknown): string {
  const named = typeof raw === "object" && raw !== null && "name" in raw ? raw.name : undefined;
  return typeof named === "string" && /^[a-z0-9-]{1,100}$/.test(named) ? named : "unnamed";
}
