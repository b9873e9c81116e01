/**
 * Runs one node's `run` in this process, over a workspace of its own with real artifacts and the real runtime, for tests.
 * Close it (`await using`) to remove the workspace.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import type { Artifacts, RunContext } from "../../nodes/context.ts";
import type { InputPort, InputsOf, NodeDef, OutputPort, OutputsOf, Run } from "../../nodes/define.ts";
import { noCheckpoint } from "../../server/executor/checkpoint.ts";
import { createStepRuntime } from "../../server/stepRuntime.ts";
import { BlobStore } from "../../server/storage/blobs.ts";
import { Ingest } from "../../server/storage/ingest.ts";
import { openWorkspace } from "../../server/storage/workspace.ts";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";

export const testTarget: DeviceProfile = {
  id: "local-cpu",
  name: "This machine",
  access: "local",
  runtime: "onnxruntime",
  peakOps: { f32: 1e11, i8: 2e11 },
  memoryBandwidth: 2e10,
  source: "made up for tests",
};

export interface NodeWorkspace extends AsyncDisposable {
  readonly artifacts: Artifacts;
  readonly folder: string;
  /** Runs a node; streams among the outputs are yet to be read. */
  run<P extends z.ZodObject, I extends Record<string, InputPort>, O extends Record<string, OutputPort>>(
    impl: TestImpl<P, I, O>,
    options: RunOptions<P, I>,
  ): Promise<NodeRun<O>>;
}

interface TestImpl<P extends z.ZodObject, I extends Record<string, InputPort>, O extends Record<string, OutputPort>> {
  readonly def: NodeDef<P, I, O>;
  readonly run: Run<P, I, O>;
}

export interface RunOptions<P extends z.ZodObject, I extends Record<string, InputPort>> {
  readonly inputs: InputsOf<I>;
  /** Without those left to their defaults. */
  readonly params?: z.input<P>;
  /** Paths anywhere, by parameter. */
  readonly sources?: Readonly<Record<string, string>>;
  readonly target?: DeviceProfile;
  readonly signal?: AbortSignal;
  readonly overrides?: Partial<RunContext>;
}

export interface NodeRun<O extends Record<string, OutputPort>> {
  readonly outputs: OutputsOf<O>;
  readonly progress: readonly { readonly done: number; readonly total?: number; readonly message?: string }[];
  readonly logs: readonly string[];
  readonly warnings: readonly string[];
  readonly previews: readonly { readonly bytes: Uint8Array; readonly mime: string }[];
}

export async function openNodeWorkspace(): Promise<NodeWorkspace> {
  const folder = await mkdtemp(join(tmpdir(), "edgewright-node-"));
  const { home, root } = openWorkspace(folder, join(folder, ".edgewright"));
  const blobs = new BlobStore(home);
  const ingest = new Ingest({ root, blobs, builtins: join(root, "models") });
  let count = 0;
  return {
    artifacts: createStepRuntime({ home, tempDir: folder }).artifacts,
    folder,
    async run(impl, { inputs, params = {}, sources = {}, target = testTarget, signal, overrides }) {
      const tempDir = join(folder, `step-${count++}`);
      await mkdir(tempDir);
      const progress: { done: number; total?: number; message?: string }[] = [];
      const logs: string[] = [];
      const warnings: string[] = [];
      const previews: { bytes: Uint8Array; mime: string }[] = [];
      const resolved: Record<string, Awaited<ReturnType<Ingest["resolve"]>>> = {};
      for (const [name, field] of Object.entries(impl.def.params.shape)) {
        if (!("meta" in field) || field.meta()?.source === undefined) continue;
        resolved[name] = sources[name] ? await ingest.resolve(await ingest.ingestPath(sources[name])) : [];
      }
      const ctx: RunContext = {
        nodeId: impl.def.type,
        signal: signal ?? new AbortController().signal,
        target,
        ...createStepRuntime({ home, tempDir }),
        sources: resolved,
        exportsDir: join(folder, "exports"),
        tempDir,
        checkpoint: noCheckpoint,
        progress: (done, total, _unit, message) =>
          progress.push({ done, ...(total !== undefined && { total }), ...(message !== undefined && { message }) }),
        log: (message) => logs.push(message),
        warn: (message) => warnings.push(message),
        preview: async (bytes, mime) => {
          previews.push({ bytes, mime });
        },
        ...overrides,
      };
      const outputs = await impl.run(ctx, inputs, impl.def.params.parse(params));
      return { outputs, progress, logs, warnings, previews };
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
