/**
 * Runs one job in this process: each node's `run`, its streams joined by tees, what is to be kept written while it
 * passes. Nothing is pulled before somebody reads: sinks and the writers of kept streams drive the chain, so the frames
 * in flight are bounded whatever the length. A node's failure ends what reads from it, and nothing else.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type {
  Artifacts,
  PytorchExporter,
  RunContext,
  Runner,
  TensorRtBuilder,
  TensorRtBuilderName,
} from "../../nodes/context.ts";
import type { NodeImpl } from "../../nodes/define.ts";
import type { ArtifactRef, PortKind, PortValue } from "../../nodes/ports.ts";
import type { Evaluator } from "../../onnx/evaluator.ts";
import { noCheckpoint, openCheckpoint } from "./checkpoint.ts";
import { describeError } from "./errors.ts";
import { keepStream, readKept } from "./keptStreams.ts";
import { Meter, mapNext } from "./meter.ts";
import type { Binding, Job, Preview, StageNode, StepMessage } from "./protocol.ts";
import { type AnyStream, hasStream, inputReader, keeper, Wires } from "./wires.ts";

/** What a step may use of the machine; made anew for each node. */
export interface StepRuntime {
  readonly artifacts: Artifacts;
  readonly runner: Runner;
  readonly evaluator: Evaluator;
  tensorRt(name?: TensorRtBuilderName): Promise<TensorRtBuilder | undefined>;
  pytorchExporter(): Promise<PytorchExporter | undefined>;
}
export type StepRuntimeFactory = (options: { readonly home: string; readonly tempDir: string }) => StepRuntime;

export interface StageHost {
  readonly impls: Readonly<Record<string, NodeImpl>>;
  readonly createRuntime: StepRuntimeFactory;
  readonly signal: AbortSignal;
  send(message: StepMessage): void;
}

type Outputs = Readonly<Record<string, PortValue<PortKind> | undefined>>;

const MAX_PREVIEWS = 6;

/** Resolves when every node has finished or failed; each outcome was sent. */
export async function runStage(job: Job, host: StageHost): Promise<void> {
  const stage = { job, host, wires: new Wires(job), failed: new Set<string>() };
  const ends: Promise<void>[] = [];
  for (const node of job.nodes) {
    const task = new NodeTask(node, stage);
    ends.push(task.end);
    await task.opened;
  }
  await Promise.all(ends);
}

interface Stage {
  readonly job: Job;
  readonly host: StageHost;
  readonly wires: Wires;
  readonly failed: Set<string>;
}

class NodeTask {
  /** When the streams this node makes are there, or it failed; for a sink at once. */
  readonly opened: Promise<unknown>;
  readonly end: Promise<void>;
  readonly #meter: Meter;
  readonly #previews: Preview[] = [];
  readonly #kept: Record<string, ArtifactRef> = {};
  #runtime: StepRuntime | undefined;
  #streamError: { readonly cause: unknown } | undefined;

  constructor(
    private readonly node: StageNode,
    private readonly stage: Stage,
  ) {
    this.#meter = new Meter((progress) => {
      if (node.role === "run") stage.host.send({ type: "progress", node: node.id, progress });
    });
    const started = this.#start();
    const impl = stage.host.impls[node.type];
    this.opened = impl && hasStream(impl.def.outputs) ? started.catch(() => undefined) : Promise.resolve();
    this.end = started
      .then(async ({ outputs, ends }) => {
        await Promise.all(ends);
        this.#finish(outputs);
      })
      .catch((error: unknown) => this.#fail(error))
      .finally(() => stage.wires.close(node.id));
  }

  async #start(): Promise<{ outputs: Outputs; ends: readonly Promise<void>[] }> {
    const { node, stage } = this;
    const impl = stage.host.impls[node.type];
    if (!impl) throw new Error(`there is no node type "${node.type}"`);
    const tempDir = join(stage.job.tempDir, node.id);
    await mkdir(tempDir, { recursive: true });
    const runtime = stage.host.createRuntime({ home: stage.job.home, tempDir });
    this.#runtime = runtime;
    const inputs = await this.#inputs(impl, runtime.artifacts);
    const outputs = await this.#meter.busy(impl.run(this.#context(runtime, tempDir), inputs, node.params));
    const ends: Promise<void>[] = [];
    for (const [port, value] of Object.entries(outputs)) {
      if (!value || !isStream(value)) continue;
      ends.push(stage.wires.open(node.id, port, this.#noting(this.#meter.output<unknown>(value))));
      const kept = stage.wires.branch(keeper(node.id, port));
      const kind = impl.def.outputs[port]?.kind;
      if (kept && kind) ends.push(this.#keep({ port, kind, stream: kept }));
    }
    for (const end of ends) end.catch(() => undefined);
    return { outputs, ends };
  }

  async #inputs(impl: NodeImpl, artifacts: Artifacts): Promise<Record<string, unknown>> {
    const values: Record<string, unknown> = {};
    let counts = !hasStream(impl.def.outputs);
    for (const [port, bindings] of Object.entries(this.node.inputs)) {
      const list: unknown[] = [];
      for (const [i, binding] of bindings.entries()) {
        const value = await this.#value(binding, inputReader(this.node.id, port, i), artifacts);
        list.push(isStream(value) ? this.#meter.input(value, counts) : value);
        // Streams are read in step: the first one's items are the node's progress.
        if (isStream(value)) counts = false;
      }
      values[port] = impl.def.inputs[port]?.many ? list : list[0];
    }
    for (const [port, { many }] of Object.entries(impl.def.inputs)) if (many) values[port] ??= [];
    return values;
  }

  async #value(binding: Binding, reader: string, artifacts: Artifacts): Promise<ArtifactRef | AnyStream> {
    if (binding.from === "artifact") return binding.ref;
    if (binding.from === "kept") return readKept(binding.ref, artifacts);
    const branch = this.stage.wires.branch(reader);
    if (!branch) throw new Error(`"${binding.node}" made no ${binding.port}`);
    return branch;
  }

  async #keep({ port, kind, stream }: { port: string; kind: PortKind; stream: AnyStream }): Promise<void> {
    if (this.node.role === "probe") {
      const iterator = stream[Symbol.asyncIterator]();
      await iterator.next();
      await iterator.return?.();
      return;
    }
    const artifacts = this.#runtime?.artifacts;
    if (!artifacts) return;
    const ref = await keepStream({ kind, stream, artifacts, budget: this.stage.job.tensorBudget });
    if (ref) this.#kept[port] = ref;
    else this.#log("info", `the ${port} are larger than what is kept: they are made again when needed`);
  }

  /** Notes the failure before any reader sees it, so that theirs is known to follow from it. */
  #noting(stream: AnyStream): AnyStream {
    return mapNext(stream, async (next) => {
      try {
        const result = await next();
        // A failed node's inputs are closed, which ends its streams early: that must not pass for their end.
        if (this.#streamError) throw this.#streamError.cause;
        return result;
      } catch (cause) {
        this.#streamError ??= { cause };
        this.stage.failed.add(this.node.id);
        throw cause;
      }
    });
  }

  #finish(outputs: Outputs): void {
    if (this.#streamError) throw this.#streamError.cause;
    this.#meter.flush();
    if (this.node.role === "replay") return;
    const refs: Record<string, ArtifactRef> = {};
    for (const [port, value] of Object.entries(outputs)) if (value && !isStream(value)) refs[port] = value;
    const result = { outputs: { ...refs, ...this.#kept }, previews: this.#previews, ms: this.#meter.ms };
    this.stage.host.send({ type: "finished", node: this.node.id, result });
  }

  #fail(error: unknown): void {
    const { node, stage } = this;
    stage.failed.add(node.id);
    this.#streamError ??= { cause: error };
    const cause = Object.values(node.inputs)
      .flat()
      .find((binding) => binding.from === "stream" && stage.failed.has(binding.node));
    if (cause?.from === "stream") stage.host.send({ type: "skipped", node: node.id, because: cause.node });
    else stage.host.send({ type: "failed", node: node.id, error: describeError(error) });
  }

  #log(level: "info" | "warning", message: string): void {
    this.stage.host.send({ type: "log", node: this.node.id, level, message });
  }

  #context(runtime: StepRuntime, tempDir: string): RunContext {
    const { node, stage } = this;
    return {
      nodeId: node.id,
      signal: stage.host.signal,
      target: stage.job.target,
      artifacts: runtime.artifacts,
      runner: runtime.runner,
      evaluator: runtime.evaluator,
      tensorRt: (name) => runtime.tensorRt(name),
      pytorchExporter: () => runtime.pytorchExporter(),
      sources: node.sources,
      exportsDir: stage.job.exportsDir,
      tempDir,
      checkpoint: node.role === "run" && node.key ? openCheckpoint(stage.job.home, node.key) : noCheckpoint,
      progress: (done, total, unit, message) =>
        this.#meter.report({
          done,
          ...(total !== undefined && { total }),
          ...(unit !== undefined && { unit }),
          ...(message !== undefined && { message }),
        }),
      log: (message) => this.#log("info", message),
      warn: (message) => this.#log("warning", message),
      preview: async (bytes, mime) => {
        if (node.role === "replay" || this.#previews.length >= MAX_PREVIEWS) return;
        const { digest } = await runtime.artifacts.putStream(chunk(bytes));
        this.#previews.push({ digest, mime });
      },
    };
  }
}

function isStream(value: unknown): value is AnyStream {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

async function* chunk(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
