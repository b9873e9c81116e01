/** Numbers for passes: any graph in memory run by onnxruntime, with values that are no outputs returned too. */
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../nodes/context.ts";
import type { EvaluationOptions, EvaluationSession, Evaluator } from "../../onnx/evaluator.ts";
import { DataType } from "../../onnx/ir/dataType.ts";
import type { Model, Value } from "../../onnx/ir/graph.ts";
import { type HostTensor, type HostTensors, typedArrayOf } from "../../onnx/ir/hostTensor.ts";
import type { Tensor } from "../../onnx/ir/tensor.ts";
import { modelBytes, writeModel } from "../../onnx/serde.ts";
import { type OptimizationLevel, type OrtSession, openOrtSession } from "./ort.ts";

/** Above this the runtime opens a file with external data beside it: protobuf ends at 2 GB, and memory before that. */
const IN_MEMORY_LIMIT = 256 * 2 ** 20;
const EXTERNAL_FROM = 1024;
const COPY_CHUNK = 64 * 2 ** 20;

export interface OrtEvaluatorOptions {
  /** Where models too large for memory lie while they are open. */
  readonly tempDir: string;
}

export function createOrtEvaluator({ tempDir }: OrtEvaluatorOptions): Evaluator {
  return {
    async open(model, options = {}) {
      const wanted = findValues(model, options.alsoReturn ?? []);
      // Feeds and constants are known without the runtime, which has no outputs that are inputs.
      const computed = wanted.filter((value) => value.producer && !value.isGraphOutput);
      const session = await withOutputs(model, computed, () => openModel(model, options, tempDir));
      return evaluation(session, wanted);
    },
  };
}

function evaluation(session: OrtSession, wanted: readonly Value[]): EvaluationSession {
  return {
    async run(feeds) {
      const results = await session.run(feeds);
      return { ...results, ...(await known(wanted, feeds)) };
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function findValues(model: Model, names: readonly string[]): readonly Value[] {
  return names.map((name) => {
    const value = model.graph.values.get(name);
    if (value) return value;
    throw new UserError("unknown-value", `the graph has no value "${name}"`, "Name a value of the model's main graph.");
  });
}

/** Lets the graph have more outputs while `write` runs. */
async function withOutputs<T>(model: Model, values: readonly Value[], write: () => Promise<T>): Promise<T> {
  const { graph } = model;
  const before = graph.outputs.length;
  for (const value of new Set(values)) graph.addOutput(value);
  try {
    return await write();
  } finally {
    while (graph.outputs.length > before) graph.removeOutput(graph.outputs.length - 1);
  }
}

async function openModel(model: Model, options: EvaluationOptions, tempDir: string): Promise<OrtSession> {
  const optimization: OptimizationLevel = options.asWritten ? "disabled" : "all";
  const settings = { threads: options.threads ?? 0, arena: !options.lean, optimization };
  const bytes = model.graph.initializers.reduce((sum, { initializer }) => sum + (initializer?.byteLength ?? 0), 0);
  if (bytes <= IN_MEMORY_LIMIT) return openOrtSession(await modelBytes(model), settings);
  await mkdir(tempDir, { recursive: true });
  const folder = await mkdtemp(join(tempDir, "evaluate-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const session = await openOrtSession(await writeFiles(model, folder), settings);
    return {
      ...session,
      async [Symbol.asyncDispose]() {
        await session[Symbol.asyncDispose]();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function writeFiles(model: Model, folder: string): Promise<string> {
  const placed: { tensor: Tensor; offset: number }[] = [];
  let end = 0;
  const path = join(folder, "model.onnx");
  await writeChunks(
    path,
    writeModel(model, {
      placeExternal(tensor) {
        if (tensor.byteLength < EXTERNAL_FROM || tensor.dataType === DataType.STRING) return undefined;
        const place = { location: "weights.bin", offset: end, length: tensor.byteLength };
        placed.push({ tensor, offset: end });
        // The runtime maps the file, and maps at multiples of 64 KB on every system.
        end = Math.ceil((end + tensor.byteLength) / 65_536) * 65_536;
        return place;
      },
    }),
  );
  const file = await open(join(folder, "weights.bin"), "w");
  try {
    for (const { tensor, offset } of placed) {
      let at = offset;
      for await (const chunk of chunksOf(tensor)) {
        await file.write(chunk, 0, chunk.length, at);
        at += chunk.length;
      }
    }
  } finally {
    await file.close();
  }
  return path;
}

async function writeChunks(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, "w");
  try {
    for await (const chunk of chunks) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}

async function* chunksOf(tensor: Tensor): AsyncGenerator<Uint8Array> {
  if (!tensor.ref) {
    yield await tensor.bytes();
    return;
  }
  const { source, offset, length } = tensor.ref;
  for (let at = 0; at < length; at += COPY_CHUNK) yield source.read(offset + at, Math.min(COPY_CHUNK, length - at));
}

async function known(values: readonly Value[], feeds: HostTensors): Promise<HostTensors> {
  const found: Record<string, HostTensor> = {};
  for (const { name, initializer } of values) {
    const feed = feeds[name];
    if (feed) found[name] = feed;
    if (initializer) found[name] = await hostTensor(initializer);
  }
  return found;
}

async function hostTensor(tensor: Tensor): Promise<HostTensor> {
  const { dataType, dims } = tensor;
  return { dataType, dims, data: typedArrayOf(dataType, await tensor.bytes()) };
}
