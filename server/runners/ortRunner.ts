/** The `local-cpu` target: this machine through onnxruntime. */
import { mkdir, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type {
  Artifacts,
  Measurement,
  MeasureOptions,
  OperatorTime,
  Runner,
  Session,
  SessionOptions,
} from "../../nodes/context.ts";
import { UserError } from "../../nodes/context.ts";
import type { ArtifactRef } from "../../nodes/ports.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import { peakMemoryBytes, resetPeakMemory, watchConditions } from "./conditions.ts";
import { onnxPath } from "./onnxPath.ts";
import { openOrtSession, ortRuntime, type TraceEvent } from "./ort.ts";
import { seededInputs, seededInputsText } from "./seededInputs.ts";

/** Runs recorded for the times per operator: recording slows them, so they are apart from the timed ones. */
const TRACED_RUNS = 20;
const YIELD_EVERY_MS = 100;

export interface OrtRunnerOptions {
  readonly artifacts: Artifacts;
  /** Where traces and rewritten graphs lie until they are stored. */
  readonly tempDir: string;
}

export function createOrtRunner({ artifacts, tempDir }: OrtRunnerOptions): Runner {
  return {
    runtime: ortRuntime,
    async open(ref, options: SessionOptions = {}): Promise<Session> {
      return openOrtSession(await onnxPath(artifacts, notEngine(ref)), options);
    },
    async measure(ref, options) {
      return measure(await onnxPath(artifacts, notEngine(ref)), options, tempDir);
    },
    async optimize(ref, level) {
      return optimize(ref, level, { artifacts, tempDir });
    },
  };
}

function notEngine(ref: ArtifactRef<"model" | "engine">): ArtifactRef<"model"> {
  if (ref.kind === "model") return { ...ref, kind: "model" };
  throw new UserError(
    "no-tensorrt-runtime",
    "a TensorRT engine runs on an NVIDIA GPU of its own compute capability, and this target has no TensorRT runtime",
    "Wire the ONNX model here instead of the engine, or export the engine and run it on its device.",
  );
}

/** Times inference alone: no preprocessing, no copies beyond the binding's own. Holds the whole process. */
async function measure(path: string, options: MeasureOptions, tempDir: string): Promise<Measurement> {
  const threads = options.threads === 0 ? availableParallelism() : options.threads;
  const fresh = resetPeakMemory();
  const memoryBefore = process.memoryUsage.rss();
  const session = await openOrtSession(path, { threads });
  let latenciesMs: number[];
  let cpuMs: number;
  let peak: number;
  let conditions: ReturnType<ReturnType<typeof watchConditions>>;
  let feeds: HostTensors;
  try {
    feeds = seededInputs(session.inputs, options.openSize);
    const run = () => session.run(feeds);
    for (let i = 0; i < options.warmup; i++) await run();
    // Before the timed runs: what they leave for the garbage collector is this process's, not the model's.
    if (options.warmup === 0) await run();
    peak = peakMemoryBytes();
    const seen = watchConditions();
    const cpuBefore = process.cpuUsage();
    latenciesMs = await timeRuns(run, options);
    const { user, system } = process.cpuUsage(cpuBefore);
    cpuMs = (user + system) / 1000 / latenciesMs.length;
    conditions = seen();
  } finally {
    await session[Symbol.asyncDispose]();
  }
  return {
    latenciesMs,
    perOp: await timeOperators(path, feeds, { threads, runs: Math.min(TRACED_RUNS, latenciesMs.length), tempDir }),
    cpuMs,
    peakMemoryBytes: peak,
    runtime: ortRuntime,
    threads,
    conditions: {
      ...conditions,
      inputs: seededInputsText,
      memoryBeforeBytes: memoryBefore,
      peakMemorySince: fresh ? "just before the model was opened" : "the start of the process",
    },
  };
}

async function timeRuns(run: () => Promise<unknown>, options: MeasureOptions): Promise<number[]> {
  const latenciesMs: number[] = [];
  const start = performance.now();
  let yielded = start;
  while (latenciesMs.length < options.iterations) {
    const before = performance.now();
    await run();
    const now = performance.now();
    latenciesMs.push(now - before);
    if (options.maxSeconds !== undefined && now - start > options.maxSeconds * 1000) break;
    if (now - yielded < YIELD_EVERY_MS) continue;
    // Lets progress leave the process, between two runs and never within one.
    options.onIteration?.(latenciesMs.length);
    await setImmediate();
    yielded = performance.now();
  }
  return latenciesMs;
}

interface OperatorTiming {
  readonly threads: number;
  readonly runs: number;
  readonly tempDir: string;
}

async function timeOperators(
  path: string,
  feeds: HostTensors,
  { threads, runs, tempDir }: OperatorTiming,
): Promise<readonly OperatorTime[]> {
  await mkdir(tempDir, { recursive: true });
  const session = await openOrtSession(path, { threads, tracePrefix: join(tempDir, "trace") });
  try {
    // The first run pays for memory and caches.
    for (let i = 0; i < runs + 1; i++) await session.run(feeds);
    return meanPerOperator(await session.endTrace(), runs + 1);
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

/** Means over all runs but the first, in the order of execution. Names may repeat where a graph leaves them empty. */
export function meanPerOperator(events: readonly TraceEvent[], runs: number): readonly OperatorTime[] {
  const perRun = events.length / runs;
  const sums = new Map<string, { node: string; opType: string; us: number }>();
  for (const { node, opType, us } of events.slice(Math.round(perRun))) {
    const key = `${opType} ${node}`;
    const sum = sums.get(key);
    if (sum) sum.us += us;
    else sums.set(key, { node, opType, us });
  }
  return [...sums.values()].map(({ node, opType, us }) => ({ node, opType, ms: us / 1000 / Math.max(1, runs - 1) }));
}

async function optimize(
  ref: ArtifactRef<"model">,
  level: "basic" | "extended" | "all",
  { artifacts, tempDir }: OrtRunnerOptions,
): Promise<ArtifactRef<"model">> {
  await mkdir(tempDir, { recursive: true });
  const path = join(tempDir, "model.onnx");
  const externalData = ref.form === "tree" ? "weights.bin" : undefined;
  const session = await openOrtSession(await onnxPath(artifacts, ref), {
    optimization: level,
    dump: { path, ...(externalData && { externalData }) },
  });
  await session[Symbol.asyncDispose]();
  const model = await artifacts.putFile(path);
  if (!externalData) return { kind: "model", ...model };
  const weights = join(tempDir, externalData);
  const files = { "model.onnx": model };
  const written = await stat(weights).catch(() => undefined);
  return artifacts.putTree("model", written ? { ...files, [externalData]: await artifacts.putFile(weights) } : files);
}
