/** `edgewright run`: submits to the server that holds the workspace, else to an executor of its own; shows the events. */
import type { Diagnostic } from "../../nodes/define.ts";
import type { RunEvent } from "../../pipelines/document/events.ts";
import { describeError } from "../executor/errors.ts";
import type { StepError } from "../executor/protocol.ts";
import type { StepPool } from "../executor/stepPool.ts";
import { createServices, type Services } from "../services.ts";
import { takeLease } from "../storage/lease.ts";
import { lockHolder } from "../storage/lock.ts";
import { EXIT } from "./cli.ts";
import { Display } from "./display.ts";
import { joinServer } from "./joinServer.ts";
import { readDoc, readSettings } from "./readDoc.ts";
import { resultTable } from "./resultTable.ts";
import { workspaceRoot } from "./root.ts";

export interface RunOptions {
  readonly target?: string;
  readonly set: readonly string[];
  readonly to?: string;
  readonly json?: boolean;
  readonly fresh?: boolean;
}

/** Where a run happens: here, or in the server that was found. */
export interface Host {
  start(submission: Submitted): Promise<{ readonly runId: string }>;
  watch(runId: string): AsyncIterable<RunEvent>;
  cancel(runId: string): Promise<unknown>;
}

export interface Submitted {
  readonly doc: unknown;
  readonly set: Readonly<Record<string, unknown>>;
  readonly target?: string | undefined;
  readonly to?: string | undefined;
  readonly fresh?: boolean | undefined;
}

/** Resolves with the exit code. */
export async function run(file: string, options: RunOptions, pool: StepPool): Promise<number> {
  try {
    return await submitFile(file, options, pool);
  } catch (error) {
    // Who reads the events is told there, too, that nothing ran.
    if (options.json) process.stdout.write(`${JSON.stringify(refused(describeError(error)))}\n`);
    throw error;
  }
}

function refused({ code, message, fix }: StepError): RunEvent {
  const diagnostic: Diagnostic = { code, severity: "error", message, ...(fix !== undefined && { fix }) };
  const time = new Date().toISOString();
  return {
    runId: "none",
    seq: 0,
    time,
    type: "run.finished",
    status: "failed",
    outputs: {},
    diagnostics: [diagnostic],
  };
}

async function submitFile(file: string, options: RunOptions, pool: StepPool): Promise<number> {
  const doc = await readDoc(file);
  const services = createServices({ root: workspaceRoot(file), pool });
  using _lease = takeLease(services.workspace.home);
  try {
    // It loads while the sources are read.
    if (!lockHolder(services.workspace.home)) services.warmUp();
    const progress = (message: string) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${message}`);
    };
    const set = await readSettings(options.set, { doc, defs: services.defs, ingest: services.ingest, progress });
    const { target, to, fresh } = options;
    return await follow(hostOf(services), { doc, set, target, to, fresh }, options.json === true);
  } finally {
    await services[Symbol.asyncDispose]();
  }
}

function hostOf(services: Services): Host {
  const holder = lockHolder(services.workspace.home);
  if (holder) return joinServer(holder);
  const { executor } = services;
  return {
    start: (submission) => executor.submit(submission),
    watch: (runId) => executor.watch(runId),
    cancel: (runId) => executor.cancel(runId),
  };
}

async function follow(host: Host, submission: Submitted, json: boolean): Promise<number> {
  const { runId } = await host.start(submission);
  let cancels = 0;
  const onSignal = () => {
    cancels++;
    if (cancels > 1) process.exit(EXIT.cancelled);
    void host.cancel(runId);
  };
  const onUnread = () => void host.cancel(runId);
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  process.stdout.on("error", onUnread);
  const display = json ? undefined : new Display(process.stderr);
  let code: number = EXIT.failed;
  let stepFailed = false;
  try {
    for await (const event of host.watch(runId)) {
      if (json) process.stdout.write(`${JSON.stringify(event)}\n`);
      display?.show(event);
      if (event.type === "step.failed") stepFailed = true;
      if (event.type !== "run.finished") continue;
      code = exitCode(event, stepFailed);
      if (!json) process.stdout.write(resultTable(event.outputs));
    }
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    process.stdout.off("error", onUnread);
  }
  return code;
}

/** Neither a fault of ours nor a part that is not set up here is the document's. */
const NOT_THE_DOCUMENT = new Set(["internal", "missing-part"]);

/** A run that failed before any step did was given a wrong document. */
function exitCode(end: Extract<RunEvent, { type: "run.finished" }>, stepFailed: boolean): number {
  if (end.status === "done") return EXIT.done;
  if (end.status === "cancelled") return EXIT.cancelled;
  const wrong = end.diagnostics?.some(({ severity, code }) => severity === "error" && !NOT_THE_DOCUMENT.has(code));
  return !stepFailed && wrong ? EXIT.wrong : EXIT.failed;
}
