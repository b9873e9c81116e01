/** onnxruntime-web, and the only file that imports it. Runs in a worker: a run on the CPU blocks its thread. */
import type { InferenceSession, Tensor } from "onnxruntime-web";
import type { Session, TensorInfo } from "../../nodes/context.ts";
import { UserError } from "../../nodes/context.ts";
import { DataType } from "../../onnx/ir/dataType.ts";
import type { HostTensor } from "../../onnx/ir/hostTensor.ts";
import { RUNTIME_TYPES, runtimeTypeCode } from "../../onnx/ir/runtimeTypes.ts";
import type { Backend } from "./messages.ts";

/** More threads than this gain little for models of this size, and take the page's own. */
const MAX_THREADS = 4;

type Runtime = typeof import("onnxruntime-web");

export interface WebSession extends Session {
  /** `onnxruntime-web 1.30.0 wasm, 2 threads`. */
  readonly runtime: string;
}

const PARTS = {
  wasm: {
    load: () => import("onnxruntime-web/wasm"),
    wasm: new URL("onnxruntime-web/ort-wasm-simd-threaded.wasm", import.meta.url),
    mjs: new URL("onnxruntime-web/ort-wasm-simd-threaded.mjs", import.meta.url),
  },
  webgpu: {
    load: () => import("onnxruntime-web/webgpu"),
    wasm: new URL("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm", import.meta.url),
    mjs: new URL("onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs", import.meta.url),
  },
} as const;

async function loadRuntime(backend: Backend): Promise<Runtime> {
  const { load, wasm, mjs } = PARTS[backend];
  const runtime: Runtime = await load();
  runtime.env.wasm.wasmPaths = { wasm: wasm.href, mjs: mjs.href };
  // Threads share memory, which a browser gives only to pages that are isolated from others.
  runtime.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(MAX_THREADS, navigator.hardwareConcurrency) : 1;
  runtime.env.logLevel = "error";
  return runtime;
}

/** Throws UserError `web-runtime-refused`, with the runtime's own words. */
export async function openWebSession(model: Uint8Array, backend: Backend): Promise<WebSession> {
  const runtime = await loadRuntime(backend);
  const session = await runtime.InferenceSession.create(model, {
    executionProviders: [backend],
    graphOptimizationLevel: "all",
    // Threads that wait by spinning take the cores from the page and from each other.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  }).catch((error: unknown) => {
    throw refusal(error, backend);
  });
  const inputs = session.inputMetadata.map(tensorInfo);
  const { versions, wasm } = runtime.env;
  const threads = wasm.numThreads === 1 ? ", 1 thread" : `, ${wasm.numThreads} threads`;
  return {
    runtime: `onnxruntime-web ${versions.web ?? versions.common} ${backend}${backend === "wasm" ? threads : ""}`,
    inputs,
    outputs: session.outputMetadata.map(tensorInfo),
    async run(feeds) {
      const tensors = Object.entries(feeds).map(([name, feed]) => [name, toRuntime(runtime, feed)]);
      const results = await session.run(Object.fromEntries(tensors)).catch((error: unknown) => {
        throw refusal(error, backend);
      });
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromRuntime(tensor)]));
    },
    async [Symbol.asyncDispose]() {
      await session.release();
    },
  };
}

function tensorInfo(meta: InferenceSession.ValueMetadata): TensorInfo {
  const dataType = meta.isTensor ? runtimeTypeCode(meta.type) : undefined;
  if (!meta.isTensor || dataType === undefined) {
    throw new UserError(
      "unsupported-type",
      `"${meta.name}" of the model cannot be fed or read here.`,
      "Cast it to float.",
    );
  }
  return { name: meta.name, dataType, dims: meta.shape.map((dim) => (typeof dim === "number" ? dim : -1)) };
}

function toRuntime({ Tensor }: Runtime, { dataType, dims, data }: HostTensor): Tensor {
  const type = RUNTIME_TYPES.get(dataType);
  if (!type) throw new TypeError(`element type ${dataType} cannot be fed`);
  return new Tensor(type, data, dims);
}

function fromRuntime({ type, dims, data }: Tensor): HostTensor {
  const dataType = runtimeTypeCode(type);
  if (dataType === undefined || Array.isArray(data)) throw new TypeError(`an output of type ${type} came`);
  // Engines that know Float16Array give one; a host tensor holds the bits.
  const bits = dataType === DataType.FLOAT16 ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data;
  return { dataType, dims, data: bits };
}

function refusal(error: unknown, backend: Backend): UserError {
  const why = error instanceof Error ? error.message : String(error);
  const fix =
    backend === "webgpu"
      ? "Run it on the CPU."
      : "Choose the model before it was compiled, or one with standard ONNX operators only.";
  return new UserError("web-runtime-refused", `The browser's runtime refuses this model: ${why.trim()}`, fix, {
    cause: error,
  });
}
