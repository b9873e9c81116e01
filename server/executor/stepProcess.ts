/** The step process's side of the protocol: takes a job, runs it, says so, takes the next. It ends with its parent. */
import { Worker } from "node:worker_threads";
import type { NodeImpl } from "../../nodes/define.ts";
import { describeError } from "./errors.ts";
import type { Job, StepMessage } from "./protocol.ts";
import { runStage, type StepRuntimeFactory } from "./stage.ts";

type ImplLoaders = Readonly<Record<string, () => Promise<NodeImpl>>>;

const WATCH_AFTER_MS = 500;

export function serveSteps(loaders: ImplLoaders, createRuntime: StepRuntimeFactory): void {
  const ended = new AbortController();
  const send = (message: StepMessage) => {
    if (process.connected) process.send?.(message);
  };
  process.on("message", (job: Job) => {
    loadFor(job, loaders)
      .then((impls) => runStage(job, { impls, createRuntime, signal: ended.signal, send }))
      .catch((error: unknown) => {
        // A bug of the stage itself: whatever has no outcome yet fails with it.
        for (const node of job.nodes) send({ type: "failed", node: node.id, error: describeError(error) });
      })
      .finally(() => send({ type: "idle" }));
  });
  process.on("disconnect", () => process.exit());
  // Not at once: it would take the time in which all else loads, and a parent that is killed so early has little to end.
  process.once("message", () => setTimeout(endWithParent, WATCH_AFTER_MS).unref());
  // The terminal's Ctrl-C goes to the whole group; who ends this process is the executor.
  process.on("SIGINT", () => {});
}

async function loadFor(job: Job, loaders: ImplLoaders): Promise<Readonly<Record<string, NodeImpl>>> {
  const types = [...new Set(job.nodes.map(({ type }) => type))].filter((type) => Object.hasOwn(loaders, type));
  const impls = await Promise.all(types.map(async (type) => [type, await loaders[type]?.()] as const));
  return Object.fromEntries(impls.flatMap(([type, impl]) => (impl ? [[type, impl]] : [])));
}

/** A busy loop or a native call never hears of a killed parent; a thread of its own does. */
function endWithParent(): void {
  const watch = `setInterval(() => {
    if (process.ppid !== ${process.ppid}) process.kill(process.pid, "SIGKILL");
  }, 1000)`;
  new Worker(watch, { eval: true, stdout: true, stderr: true }).unref();
}
