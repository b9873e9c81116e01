/**
 * One run: units start when what they need is there, hits cost no process, each result is cached the moment it is known.
 * A failed node leaves those that need it undone; all others finish.
 */
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { SourceFile } from "../../nodes/context.ts";
import type { ArtifactRef } from "../../nodes/ports.ts";
import type { RunEventBody } from "../../pipelines/document/events.ts";
import { sourceParams } from "../../pipelines/document/sources.ts";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";
import type { BlobStore } from "../storage/blobs.ts";
import type { CacheEntry, ResultCache } from "../storage/cache.ts";
import type { Ingest } from "../storage/ingest.ts";
import { removeCheckpoint } from "./checkpoint.ts";
import { describeError } from "./errors.ts";
import { cacheKey, type KeyParts, keyParts, missReason } from "./key.ts";
import { allInputs, type Plan, type PlannedInput, type PlannedNode } from "./plan.ts";
import type { StageNode, StepError, StepMessage, StepProgress, StepResult } from "./protocol.ts";
import type { Schedule } from "./schedule.ts";
import { stageNodes } from "./stageJob.ts";
import type { StepPool } from "./stepPool.ts";

export interface ExecutionServices {
  readonly blobs: BlobStore;
  readonly cache: ResultCache;
  readonly ingest: Ingest;
  readonly pool: StepPool;
  readonly schedule: Schedule;
  readonly libraries: Readonly<Record<string, string>>;
  /** Versions of the optional parts that a node requires, by part. */
  partVersions(parts: readonly string[]): Promise<Readonly<Record<string, string>>>;
  readonly tensorBudget: number;
  readonly exportsDir: string;
  /** Fingerprints of what lies in the exports folder now, by name. */
  exported(): Promise<Readonly<Record<string, string>>>;
}

export interface Execution {
  readonly plan: Plan;
  readonly target: DeviceProfile;
  /** Measurements and exports are made again. */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  emit(event: RunEventBody): void;
  /** Key parts of the last result of each node of this pipeline; written as results come. */
  readonly last: Map<string, KeyParts>;
}

type Outputs = Readonly<Record<string, ArtifactRef>>;
export interface RunResult {
  readonly failed: boolean;
  /** False where every node was a hit. */
  readonly worked: boolean;
  readonly outputs: Readonly<Record<string, Outputs>>;
}

/** Never throws for what a node does. When the signal fires, what has finished until then is the result. */
export async function executeRun(services: ExecutionServices, execution: Execution): Promise<RunResult> {
  return new RunExecution(services, execution).run();
}

interface NodeState {
  readonly node: PlannedNode;
  state: "waiting" | "keyed" | "done" | "failed" | "skipped";
  sources: Readonly<Record<string, readonly SourceFile[]>>;
  parts?: KeyParts;
  key?: string;
  reason?: string;
  /** What lay in the exports folder before the step. */
  exportedBefore?: Readonly<Record<string, string>>;
  outputs: Outputs;
}

class RunExecution {
  readonly #nodes: ReadonlyMap<string, NodeState>;
  readonly #pending: Set<readonly string[]>;
  readonly #running = new Set<Promise<void>>();
  readonly #said = new Set<string>();
  /** Results on their way into the cache. */
  readonly #writes: Promise<void>[] = [];
  #wake: () => void = () => {};
  #worked = false;

  constructor(
    private readonly services: ExecutionServices,
    private readonly execution: Execution,
  ) {
    const { plan } = execution;
    this.#nodes = new Map(
      [...plan.nodes.values()].map((node) => [node.id, { node, state: "waiting", sources: {}, outputs: {} }]),
    );
    this.#pending = new Set(plan.units);
  }

  async run(): Promise<RunResult> {
    for (;;) {
      if (this.execution.signal.aborted) {
        await Promise.all(this.#running);
        break;
      }
      for (const unit of this.#pending) if (this.#isReady(unit)) this.#start(unit);
      if (this.#running.size === 0) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const states = [...this.#nodes.values()];
    return {
      worked: this.#worked,
      failed: states.some(({ state }) => state !== "done"),
      outputs: Object.fromEntries(states.filter((s) => s.state === "done").map((s) => [s.node.id, s.outputs])),
    };
  }

  #start(unit: readonly string[]): void {
    this.#pending.delete(unit);
    const work = this.#runUnit(unit.map((id) => this.#state(id)))
      .catch((error: unknown) => {
        // What a cancelled run leaves undone has not failed.
        if (this.execution.signal.aborted) return;
        for (const id of unit) if (this.#isOpen(id)) this.#fail(this.#state(id), describeError(error));
      })
      .finally(() => {
        this.#running.delete(work);
        this.#wake();
      });
    this.#running.add(work);
  }

  #state(id: string): NodeState {
    const state = this.#nodes.get(id);
    if (!state) throw new Error(`"${id}" is not planned`);
    return state;
  }

  #isOpen(id: string): boolean {
    const { state } = this.#state(id);
    return state === "waiting" || state === "keyed";
  }

  /** All that comes from other units is settled. */
  #isReady(unit: readonly string[]): boolean {
    const inputs = unit.flatMap((id) => allInputs(this.#state(id).node));
    return inputs.every(({ node }) => unit.includes(node) || !this.#isOpen(node));
  }

  async #runUnit(states: readonly NodeState[]): Promise<void> {
    const missed: NodeState[] = [];
    for (const state of states) {
      if (allInputs(state.node).some(({ node }) => this.#isDead(node))) state.state = "skipped";
      else if (!(await this.#findResult(state))) missed.push(state);
    }
    const live = missed.filter((state) => state.state === "keyed");
    if (live.length > 0) await this.#runStage(live);
  }

  #isDead(id: string): boolean {
    const { state } = this.#state(id);
    return state === "failed" || state === "skipped";
  }

  /** Computes the node's key and looks it up; true where the node is settled by that. */
  async #findResult(state: NodeState): Promise<boolean> {
    const { node } = state;
    const { fresh, last, target } = this.execution;
    const start = performance.now();
    const absent = this.#absentInput(node);
    if (absent) {
      const fix = `Change what ${absent.node} is set to (a build kit is no engine: it ends with its export), or wire another output.`;
      this.#fail(state, { code: "no-input", message: `${absent.node} gave no ${absent.port}`, fix });
      return true;
    }
    try {
      state.sources = await this.#resolveSources(node);
    } catch (error) {
      this.execution.signal.throwIfAborted();
      this.#fail(state, describeError(error));
      return true;
    }
    const inputs = Object.fromEntries(
      Object.entries(node.inputs).map(([port, list]) => [port, list.map((input) => this.#identity(input))]),
    );
    const parts = node.def.requires?.(node.params) ?? [];
    const libraries = { ...this.services.libraries, ...(await this.services.partVersions(parts)) };
    state.parts = keyParts(node, { sources: state.sources, inputs, libraries, target });
    state.key = cacheKey(state.parts);
    state.state = "keyed";
    const repeats = fresh && (node.def.effects === "measures" || node.def.effects === "exports");
    const entry = repeats ? undefined : await this.services.cache.get(state.key);
    const stands = entry !== undefined && (await this.#isExported(entry));
    if (entry && stands) {
      this.#finish(state, { entry, cache: "hit", ms: performance.now() - start });
      return true;
    }
    if (repeats) state.reason = "asked to run again";
    else state.reason = entry ? "what it wrote was changed since" : missReason(state.parts, last.get(node.id));
    return false;
  }

  /** Whether what an exporting step wrote still lies where it was; true for all other steps. */
  async #isExported({ exported }: CacheEntry): Promise<boolean> {
    if (!exported) return true;
    const now = await this.services.exported();
    return Object.entries(exported).every(([name, fingerprint]) => now[name] === fingerprint);
  }

  /** What the step changed in the exports folder. */
  async #exportedBy({ node, exportedBefore = {} }: NodeState): Promise<Readonly<Record<string, string>> | undefined> {
    if (node.def.effects !== "exports") return undefined;
    const now = Object.entries(await this.services.exported());
    return Object.fromEntries(now.filter(([name, fingerprint]) => exportedBefore[name] !== fingerprint));
  }

  async #resolveSources(node: PlannedNode): Promise<Record<string, readonly SourceFile[]>> {
    const sources: Record<string, readonly SourceFile[]> = {};
    for (const { name, kind } of sourceParams(node.def)) {
      const value = node.params[name];
      if (typeof value !== "string") continue;
      const { sha256 } = node.params;
      sources[name] = await this.services.ingest.resolve(value, {
        kind,
        ...(typeof sha256 === "string" && sha256 !== "" && { sha256 }),
        signal: this.execution.signal,
        progress: (progress) => this.#progress(node.id, progress),
      });
    }
    return sources;
  }

  /** A required artifact that its maker left out. */
  #absentInput({ def, inputs }: PlannedNode): PlannedInput | undefined {
    return Object.entries(inputs)
      .filter(([port]) => !def.inputs[port]?.optional && !def.inputs[port]?.many)
      .flatMap(([, list]) => list)
      .find((input) => !input.stream && !this.#state(input.node).outputs[input.port]);
  }

  /** What stands for an input in a key. */
  #identity({ node, port, stream }: PlannedInput): string {
    const { key, outputs } = this.#state(node);
    return stream ? `${key}.${port}` : (outputs[port]?.digest ?? "absent");
  }

  async #runStage(missed: readonly NodeState[]): Promise<void> {
    const { services, execution } = this;
    this.#worked = true;
    const nodes = stageNodes(missed, (id) => this.#state(id));
    this.#sayRerun(nodes);
    const measures = missed.some(({ node }) => node.def.effects === "measures");
    const resources = new Set(missed.flatMap(({ node }) => node.def.resources));
    this.#sayWhere(missed);
    const release = await services.schedule.acquire({ resources, measures }, execution.signal, () => {
      if (measures) this.#sayWaiting(missed);
    });
    const tempDir = join(services.blobs.home, "tmp", `step-${randomBytes(6).toString("hex")}`);
    try {
      await mkdir(tempDir, { recursive: true });
      for (const state of missed) {
        if (state.node.def.effects === "exports") state.exportedBefore = await services.exported();
        execution.emit({ type: "step.started", node: state.node.id });
      }
      const handlers = {
        signal: execution.signal,
        untouched: measures,
        message: (message: StepMessage) => this.#onMessage(message),
      };
      const { target } = execution;
      const { blobs, tensorBudget, exportsDir } = services;
      await services.pool.run({ home: blobs.home, tempDir, target, nodes, tensorBudget, exportsDir }, handlers);
    } finally {
      await Promise.all(this.#writes.splice(0));
      release();
      await rm(tempDir, { recursive: true, force: true });
    }
  }

  #sayWaiting(missed: readonly NodeState[]): void {
    const message = "waits for its turn: it measures alone, and another step of this machine is at work";
    for (const { node } of missed) {
      if (node.def.effects === "measures")
        this.execution.emit({ type: "step.log", node: node.id, level: "info", message });
    }
  }

  #sayRerun(nodes: readonly StageNode[]): void {
    for (const { id, role } of nodes) {
      const { replayable, keeps } = this.#state(id).node;
      if (role !== "replay" || replayable) continue;
      const message = `runs again: its ${keeps.join(", ")} were too large to keep`;
      this.execution.emit({ type: "step.log", node: id, level: "info", message });
    }
  }

  #sayWhere(missed: readonly NodeState[]): void {
    const { target } = this.execution;
    if (target.access === "local") return;
    for (const { node } of missed) {
      if (node.def.effects !== "infers") continue;
      const message = `runs on local-cpu: ${target.name} is not at hand, so its numbers are predicted`;
      this.execution.emit({ type: "step.log", node: node.id, level: "info", message });
    }
  }

  #onMessage(message: StepMessage): void {
    if (message.type === "idle") return;
    const state = this.#state(message.node);
    if (message.type === "progress") this.#progress(message.node, message.progress);
    else if (message.type === "log") this.#log(message);
    else if (message.type === "skipped") this.#skip(state, message.because);
    else if (message.type === "failed") this.#fail(state, message.error);
    else this.#writes.push(this.#onFinished(state, message.result));
  }

  /** It stopped, since a node that feeds it failed: the error is that one's to tell. */
  #skip(state: NodeState, because: string): void {
    state.state = "skipped";
    this.#log({ type: "log", node: state.node.id, level: "info", message: `stopped, since ${because} failed` });
  }

  #log({ node, level, message }: Extract<StepMessage, { type: "log" }>): void {
    // A stream that is made again warns again: once is enough.
    const text = `${node} ${message}`;
    if (level === "warning" && this.#said.has(text)) return;
    this.#said.add(text);
    this.execution.emit({ type: "step.log", node, level, message });
  }

  #progress(node: string, progress: StepProgress): void {
    this.execution.emit({ type: "step.progress", node, ...progress });
  }

  async #onFinished(state: NodeState, result: StepResult): Promise<void> {
    const { key, node } = state;
    const { outputs, previews, ms } = result;
    const { effects } = node.def;
    const time = new Date().toISOString();
    let entry: CacheEntry = { version: 1, outputs: { ...outputs }, previews: [...previews], effects, ms, time };
    try {
      const exported = await this.#exportedBy(state);
      if (exported) entry = { ...entry, exported };
      if (key !== undefined) {
        await this.services.cache.put(key, entry);
        await removeCheckpoint(this.services.blobs.home, key);
      }
    } catch (error) {
      return this.#fail(state, describeError(error));
    }
    this.#finish(state, { entry, cache: "miss", ms });
    this.#wake();
  }

  #finish(state: NodeState, { entry, cache, ms }: { entry: CacheEntry; cache: "hit" | "miss"; ms: number }): void {
    const { node, parts, reason } = state;
    state.state = "done";
    state.outputs = entry.outputs;
    if (parts) this.execution.last.set(node.id, parts);
    const { outputs, previews, effects } = entry;
    const why = reason !== undefined && { reason };
    this.execution.emit({ type: "step.finished", node: node.id, cache, ...why, effects, ms, outputs, previews });
  }

  #fail(state: NodeState, { code, message, fix, stack }: StepError): void {
    // A stream that is made again can fail a node whose own result stood before.
    state.state = "failed";
    const { id } = state.node;
    if (stack !== undefined) this.execution.emit({ type: "step.log", node: id, level: "info", message: stack });
    this.execution.emit({
      type: "step.failed",
      node: id,
      error: { code, message, ...(fix !== undefined && { fix }) },
    });
  }
}
