/** What a running node may do to the world: everything comes through `ctx`, so nodes never import the server. */
import type { Evaluator } from "../onnx/evaluator.ts";
import type { Model } from "../onnx/ir/graph.ts";
import type { HostTensors } from "../onnx/ir/hostTensor.ts";
import type { ByteSource } from "../onnx/ir/tensor.ts";
import type { ShapeRange } from "../onnx/passes/tensorrtReadiness.ts";
import type { DeviceProfile } from "../targets/deviceProfile.ts";
import type { ArtifactRef, PortKind } from "./ports.ts";

/** A report's JSON; `kind` and `version` name its format, `provenance` how its figures came about. */
export interface Report {
  readonly kind: string;
  readonly version: number;
  readonly provenance: "measured" | "estimated" | "simulated" | "computed";
  readonly [key: string]: unknown;
}

/** A file that a `source` parameter names, in the workspace's store already, its bytes named by digest. */
export interface SourceFile {
  /** File name, without folders above the source. */
  readonly name: string;
  readonly digest: string;
  readonly size: number;
  /** Of a model file that the project knows. */
  readonly known?: KnownModel;
}

/** What a model wants around it: values of the parameters of preprocess and nms, by name. */
export interface KnownModel {
  readonly title: string;
  readonly preprocess?: Readonly<Record<string, unknown>>;
  readonly nms?: Readonly<Record<string, unknown>>;
}

export interface Artifacts {
  /** Whole content; throws above `limit` bytes (default 256 MB). */
  read(ref: { readonly digest: string }, limit?: number): Promise<Uint8Array>;
  readText(ref: { readonly digest: string }): Promise<string>;
  readJson(ref: { readonly digest: string }): Promise<unknown>;
  /** Random access, for what is too large to read whole. */
  source(ref: { readonly digest: string }): Promise<ByteSource>;
  /** Files of a tree. */
  files(ref: ArtifactRef): Promise<Readonly<Record<string, { readonly digest: string; readonly size: number }>>>;
  /** A path that native code can open: the file, or a folder of hard links for a tree. Read only. */
  path(ref: ArtifactRef): Promise<string>;
  /** Path of one stored file. Read only. */
  filePath(ref: { readonly digest: string }): Promise<string>;
  put<K extends PortKind>(kind: K, bytes: Uint8Array): Promise<ArtifactRef<K>>;
  /** Stores bytes that come in pieces, with flat memory. */
  putStream(chunks: AsyncIterable<Uint8Array>): Promise<{ readonly digest: string; readonly size: number }>;
  /** Moves a file that native code wrote (into `ctx.tempDir`) into the store. */
  putFile(path: string): Promise<{ readonly digest: string; readonly size: number }>;
  /** A folder of stored files, names with `/` allowed, none absolute or with `..`. */
  putTree<K extends PortKind>(
    kind: K,
    files: Readonly<Record<string, { readonly digest: string; readonly size: number }>>,
  ): Promise<ArtifactRef<K>>;
  report(report: Report): Promise<ArtifactRef<"report">>;
  /** The structure, weights by reference: cheap at any size. */
  openModel(ref: ArtifactRef<"model">): Promise<Model>;
  /** One self-contained file up to 256 MB; above, the structure plus one stored file for each large tensor, reused. */
  saveModel(model: Model): Promise<ArtifactRef<"model">>;
}

/** What a runtime tells about a model's inputs and outputs; a symbolic or unknown dimension is -1. */
export interface TensorInfo {
  readonly name: string;
  readonly dataType: number;
  readonly dims: readonly number[];
}

export interface Session extends AsyncDisposable {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  run(feeds: HostTensors): Promise<HostTensors>;
}

export interface SessionOptions {
  readonly threads?: number;
  readonly optimization?: "disabled" | "basic" | "extended" | "all";
}

export interface OperatorTime {
  /** Name of the ONNX node as the runtime reports it. */
  readonly node: string;
  readonly opType: string;
  /** Mean over the iterations, milliseconds. */
  readonly ms: number;
}

export interface Measurement {
  /** One entry an iteration, milliseconds, in order; warm-up not included. */
  readonly latenciesMs: readonly number[];
  /** Mean CPU time of a run over all threads: what other programs take does not enter it. */
  readonly cpuMs?: number;
  readonly perOp: readonly OperatorTime[];
  readonly peakMemoryBytes?: number;
  readonly runtime: string;
  readonly threads: number;
  /** What may have disturbed or shaped the figures: load of other processes, governor, throttling. */
  readonly conditions: Readonly<Record<string, unknown>>;
}

export interface MeasureOptions {
  readonly warmup: number;
  readonly iterations: number;
  /** 0 uses every core. */
  readonly threads: number;
  /** Size of an input's open dimensions, behind a batch of one; without it a model that has them is refused. */
  readonly openSize?: number;
  /** Ends the timed iterations early; at least one is made. */
  readonly maxSeconds?: number;
  /** Called between iterations now and then, with the number done. */
  readonly onIteration?: (done: number) => void;
}

/** Sessions on the target's runtime; onnxruntime for `local-cpu`. */
export interface Runner {
  /** For reports: `onnxruntime 1.30.0 cpu`. */
  readonly runtime: string;
  open(ref: ArtifactRef<"model" | "engine">, options?: SessionOptions): Promise<Session>;
  /** Times inference alone on inputs made from a fixed seed. */
  measure(ref: ArtifactRef<"model" | "engine">, options: MeasureOptions): Promise<Measurement>;
  /** The model as the runtime rewrites it at a level, in a file of its own. */
  optimize(ref: ArtifactRef<"model">, level: "basic" | "extended" | "all"): Promise<ArtifactRef<"model">>;
}

/** A layer of a built engine: one or more ONNX nodes fused. */
export interface EngineLayer {
  readonly name: string;
  readonly type: string;
  /** What it computes in, as the builder names it: `Float`, `Half`, `Int8`. */
  readonly precision: string;
  /** Names of the ONNX nodes that it stands for. */
  readonly origins: readonly string[];
}

export interface BuiltEngine {
  readonly digest: string;
  readonly size: number;
  readonly computeCapability: string;
  readonly layers: readonly EngineLayer[];
  readonly buildSeconds: number;
}

export interface EngineBuild {
  /** By file name, for example `model-sm86.engine`. */
  readonly engines: Readonly<Record<string, BuiltEngine>>;
  readonly warnings: readonly string[];
}

export interface EngineBuildOptions {
  /** Empty: the GPU of this machine, for a builder that has one. */
  readonly computeCapabilities: readonly string[];
  /** Shapes of dynamic inputs by name: an optimization profile. */
  readonly shapes: Readonly<Record<string, ShapeRange>>;
  readonly signal: AbortSignal;
}

export type TensorRtBuilderName = "trtexec" | "tensorrt-rtx";

export interface TensorRtBuilder {
  /** For reports: `trtexec 10.3.0` or `tensorrt-rtx 1.7.1.116`. */
  readonly name: string;
  /** Throws UserError with the builder's own words where it refuses the graph. */
  build(ref: ArtifactRef<"model">, options: EngineBuildOptions): Promise<EngineBuild>;
}

export interface PytorchExportOptions {
  /** One of the exporter's own descriptions, by name. */
  readonly architecture: string;
  /** A checkpoint, of which only tensors are read; random weights without one. */
  readonly weights?: { readonly digest: string };
  /** Pixels of the fixed input. */
  readonly width: number;
  readonly height: number;
  readonly opset: number;
  readonly signal: AbortSignal;
}

export interface PytorchExport {
  readonly model: ArtifactRef<"model">;
  /** For reports: `ultralytics 8.4.190, torch 2.9.1`. */
  readonly exporter: string;
  readonly parameters: number;
  /** Class names of the checkpoint; none without one. */
  readonly classes: readonly string[];
  /** Tensors taken from the checkpoint. */
  readonly tensors?: number;
}

export interface PytorchExporter {
  /** For reports: `ultralytics 8.4.190`. */
  readonly name: string;
  /** Throws UserError where the weights are not of that architecture, or the exporter refuses. */
  export(options: PytorchExportOptions): Promise<PytorchExport>;
}

/** Bytes of a step's own, by which it goes on where it was ended: by a cancel, a crash, a power cut. */
export interface Checkpoint {
  /** What a step of the same type, version, parameters and inputs wrote last without finishing. */
  read(): Promise<Uint8Array | undefined>;
  /** Replaces it in one go: a reader finds the old or the new. It is removed when the step's result is kept. */
  write(bytes: Uint8Array): Promise<void>;
}

export interface RunContext {
  readonly nodeId: string;
  readonly signal: AbortSignal;
  readonly target: DeviceProfile;
  readonly artifacts: Artifacts;
  readonly runner: Runner;
  readonly evaluator: Evaluator;
  /** That builder, or without a name the first at hand; undefined where it is not set up. */
  tensorRt(name?: TensorRtBuilderName): Promise<TensorRtBuilder | undefined>;
  /** Undefined where it is not set up. */
  pytorchExporter(): Promise<PytorchExporter | undefined>;
  /** Files that a `source` parameter resolved to, by parameter name. A folder gives its files, sorted by name. */
  readonly sources: Readonly<Record<string, readonly SourceFile[]>>;
  /** The workspace's folder for what leaves it; only nodes whose effects are `exports` write there. */
  readonly exportsDir: string;
  /** An empty folder for this step alone, removed at its end. */
  readonly tempDir: string;
  readonly checkpoint: Checkpoint;
  progress(done: number, total?: number, unit?: string, message?: string): void;
  log(message: string): void;
  warn(message: string): void;
  /** A picture for the node's face, at most six of a run, at most 480 px wide. */
  preview(bytes: Uint8Array, mime: "image/jpeg" | "image/png"): Promise<void>;
}

/** The user can mend it: wrong input, wrong setting. `fix` says how. */
export class UserError extends Error {
  override readonly name = "UserError";
  constructor(
    readonly code: string,
    message: string,
    readonly fix?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The world failed and may work again: a full disk, a lost device, a time-out. */
export class OperationalError extends Error {
  override readonly name = "OperationalError";
  constructor(
    readonly code: string,
    message: string,
    readonly fix?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
