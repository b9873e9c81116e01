/**
 * onnxruntime-node, and the only file that imports it: sessions on a path or on bytes, host tensors in and out.
 *
 * `create` and `run` of the binding block the event loop for their whole length, and cannot be interrupted: only call
 * this in a process that may be killed (a step's child). What the binding would abort the process on is refused first.
 */
import { readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { env, InferenceSession, Tensor } from "onnxruntime-node";
import type { Session, TensorInfo } from "../../nodes/context.ts";
import { OperationalError, UserError } from "../../nodes/context.ts";
import { DataType, dataTypeName } from "../../onnx/ir/dataType.ts";
import type { HostTensor, HostTensors } from "../../onnx/ir/hostTensor.ts";
import { RUNTIME_TYPES, runtimeTypeCode } from "../../onnx/ir/runtimeTypes.ts";
import { elementCount } from "../../onnx/ir/tensor.ts";

export const ortVersion = env.versions.node ?? env.versions.common;
export const ortRuntime = `onnxruntime ${ortVersion} cpu`;

export type OptimizationLevel = "disabled" | "basic" | "extended" | "all";

export interface OrtOptions {
  /** 0 uses every core. Default 1. */
  readonly threads?: number;
  readonly optimization?: OptimizationLevel;
  /** False gives the memory of each run back to the system instead of keeping it for the next. Default true. */
  readonly arena?: boolean;
  /** Writes the graph as the runtime rewrote it to this path; initializers above 1 KB to `externalData` beside it. */
  readonly dump?: { readonly path: string; readonly externalData?: string };
  /** Prefix of the trace that `endTrace` reads; every run is recorded, which costs time. */
  readonly tracePrefix?: string;
}

/** One entry of a trace: how long one operator of one run took. */
export interface TraceEvent {
  readonly node: string;
  readonly opType: string;
  readonly us: number;
}

export interface OrtSession extends Session {
  /** Ends the recording asked for with `tracePrefix` and removes its file. */
  endTrace(): Promise<readonly TraceEvent[]>;
}

/** Opens a model: a path (external data lies beside it) or the bytes of a self-contained file. */
export async function openOrtSession(model: string | Uint8Array, options: OrtOptions = {}): Promise<OrtSession> {
  const settings = sessionOptions(options);
  // The two overloads of `create` do not take the union.
  const created = typeof model === "string" ? InferenceSession.create(model, settings) : fromBytes(model, settings);
  const session = await created.catch((error: unknown) => {
    throw refusal("the runtime refuses the model", error);
  });
  try {
    return wrap(session, options);
  } catch (error) {
    await session.release();
    throw error;
  }
}

function fromBytes(bytes: Uint8Array, settings: InferenceSession.SessionOptions): Promise<InferenceSession> {
  return InferenceSession.create(bytes, settings);
}

function sessionOptions({ threads = 1, optimization = "all", arena = true, dump, tracePrefix }: OrtOptions) {
  const extra: Record<string, string> = { "session.intra_op.allow_spinning": "0" };
  if (dump?.externalData) {
    extra["session.optimized_model_external_initializers_file_name"] = dump.externalData;
    extra["session.optimized_model_external_initializers_min_size_in_bytes"] = "1024";
  }
  return {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: optimization,
    enableCpuMemArena: arena,
    logSeverityLevel: 3,
    extra,
    ...(dump && { optimizedModelFilePath: dump.path }),
    ...(tracePrefix && { enableProfiling: true, profileFilePrefix: tracePrefix }),
  } satisfies InferenceSession.SessionOptions;
}

function wrap(session: InferenceSession, options: OrtOptions): OrtSession {
  const inputs = session.inputMetadata.map((meta) => tensorInfo(meta, "input"));
  const outputs = session.outputMetadata.map((meta) => tensorInfo(meta, "output"));
  return {
    inputs,
    outputs,
    async run(feeds) {
      const results = await session.run(toOrtFeeds(inputs, feeds)).catch((error: unknown) => {
        throw refusal("the runtime stopped", error);
      });
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromOrt(tensor)]));
    },
    async endTrace() {
      session.endProfiling();
      return readTrace(options.tracePrefix ?? "");
    },
    async [Symbol.asyncDispose]() {
      await session.release();
    },
  };
}

function tensorInfo(meta: InferenceSession.ValueMetadata, role: "input" | "output"): TensorInfo {
  const dataType = meta.isTensor ? runtimeTypeCode(meta.type) : undefined;
  if (!meta.isTensor || dataType === undefined) {
    throw new UserError(
      "unsupported-type",
      `the ${role} "${meta.name}" is ${meta.isTensor ? `of type ${meta.type}` : "no tensor"}, which cannot be fed or read here`,
      "Cast it to float or to an 8-bit integer inside the model.",
    );
  }
  return {
    name: meta.name,
    dataType,
    dims: meta.shape.map((dim) => (typeof dim === "number" ? dim : -1)),
  };
}

function toOrtFeeds(inputs: readonly TensorInfo[], feeds: HostTensors): Record<string, Tensor> {
  checkFeeds(inputs, feeds);
  const tensors: Record<string, Tensor> = {};
  for (const info of inputs) {
    const feed = feeds[info.name];
    if (feed) tensors[info.name] = toOrt(info, feed);
  }
  return tensors;
}

function checkFeeds(inputs: readonly TensorInfo[], feeds: HostTensors): void {
  const names = inputs.map((info) => `"${info.name}"`).join(", ");
  for (const name of Object.keys(feeds)) {
    if (inputs.some((info) => info.name === name)) continue;
    throw new UserError("unknown-input", `the model has no input "${name}"`, `Its inputs are ${names}.`);
  }
  for (const { name, dataType, dims } of inputs) {
    const feed = feeds[name];
    if (!feed) throw new UserError("missing-input", `the input "${name}" is not fed`, `Feed all of ${names}.`);
    const fits = dims.length === feed.dims.length && dims.every((dim, i) => dim === -1 || dim === feed.dims[i]);
    if (feed.dataType === dataType && fits) continue;
    throw new UserError(
      "input-mismatch",
      `the input "${name}" takes ${typeText(dataType, dims)}, but ${typeText(feed.dataType, feed.dims)} came`,
      "Set size, layout and type of the preprocess to what the model takes.",
    );
  }
}

function typeText(dataType: number, dims: readonly number[]): string {
  return `${dataTypeName(dataType)} [${dims.map((dim) => (dim === -1 ? "?" : dim)).join(",")}]`;
}

function toOrt(info: TensorInfo, { dataType, dims, data }: HostTensor): Tensor {
  const type = RUNTIME_TYPES.get(dataType);
  if (!type || data.length !== elementCount(dims)) {
    throw new RangeError(`"${info.name}" has ${data.length} elements, but its shape is [${dims.join(",")}]`);
  }
  return new Tensor(type, data, dims);
}

function fromOrt(tensor: Tensor): HostTensor {
  const dataType = runtimeTypeCode(tensor.type);
  const { data, dims } = tensor;
  if (dataType === undefined || Array.isArray(data)) throw new TypeError(`an output of type ${tensor.type} came`);
  // Engines that know Float16Array get one; a host tensor holds the bits.
  const bits = dataType === DataType.FLOAT16 ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data;
  return { dataType, dims, data: bits };
}

/** The binding names the file after the prefix and the time, and tells nobody. */
async function readTrace(prefix: string): Promise<readonly TraceEvent[]> {
  const folder = dirname(prefix);
  const name = (await readdir(folder)).find((file) => file.startsWith(basename(prefix)));
  if (!name) throw new Error("the runtime wrote no trace");
  const path = join(folder, name);
  const text = await readFile(path, "utf8");
  await rm(path);
  const events = parseTrace(text);
  return events.flatMap(({ cat, name, dur, args }) =>
    cat === "Node" && name.endsWith("_kernel_time") && args.op_name !== undefined
      ? [{ node: name.slice(0, -"_kernel_time".length), opType: args.op_name, us: dur }]
      : [],
  );
}

/** The binding does not say when it could not write: what is cut short met the end of the disk. */
export function parseTrace(
  text: string,
): readonly { cat: string; name: string; dur: number; args: { op_name?: string } }[] {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = "the runtime's trace is cut short: the disk of the workspace is full";
    const fix = "Free some space: edgewright clean removes the oldest results.";
    throw new OperationalError("disk-full", message, fix, { cause });
  }
}

function refusal(what: string, error: unknown): UserError {
  const message = withoutPlaces(error instanceof Error ? error.message : String(error));
  const unsupported = /Unsupported data type: (\d+)/.exec(message);
  if (unsupported) {
    return new UserError(
      "unsupported-type",
      `an input or output of the model is ${dataTypeName(Number(unsupported[1]))}, which cannot be fed or read here`,
      "Cast it to float inside the model.",
      { cause: error },
    );
  }
  return new UserError("runtime-refused", `${what}: ${message}`, fixFor(message), { cause: error });
}

/** The runtime's words without its source files, C++ signatures and the path of the model. */
export function withoutPlaces(message: string): string {
  return message
    .replace(/Load model from .*? failed:\s*/, "")
    .replace(/\S+\.(?:cc|h|cpp|hpp):\d+ [^\n]*?\)(?: const)? (?=\S)/g, "")
    .trim();
}

function fixFor(message: string): string {
  if (/IR version/i.test(message)) return "Export the model in an IR version that this runtime knows.";
  if (/bad_alloc|allocate memory|out of memory/i.test(message)) return "Use a smaller model or a smaller input.";
  if (/opset/i.test(message)) return "Export the model in an operator set that this runtime knows.";
  if (/not a registered function\/op|No Op registered|NOT_IMPLEMENTED/i.test(message)) {
    return "Replace the operator, or export the model in another operator set.";
  }
  if (/Protobuf parsing failed|INVALID_PROTOBUF/i.test(message)) return "Give a complete ONNX file.";
  return "Export the model again; if it is refused again, simplify it or replace what the message names.";
}
