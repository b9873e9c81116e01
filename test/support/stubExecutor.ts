/** An executor over a workspace of its own with the stub node types: forked step processes and all. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../../server/build.js";
import { Executor } from "../../server/executor/executor.ts";
import { keyPartsSchema } from "../../server/executor/key.ts";
import { Schedule } from "../../server/executor/schedule.ts";
import { StepPool } from "../../server/executor/stepPool.ts";
import { projectRoot } from "../../server/projectRoot.ts";
import { createArtifacts } from "../../server/storage/artifacts.ts";
import { BlobStore } from "../../server/storage/blobs.ts";
import { ResultCache } from "../../server/storage/cache.ts";
import { describeOutput } from "../../server/storage/describeOutput.ts";
import { DeviceLock } from "../../server/storage/deviceLock.ts";
import { exportedFingerprints } from "../../server/storage/exported.ts";
import { Ingest } from "../../server/storage/ingest.ts";
import { LastResults } from "../../server/storage/lastResults.ts";
import { RunStore } from "../../server/storage/runs.ts";
import { openWorkspace } from "../../server/storage/workspace.ts";
import { testTarget } from "./runNode.ts";
import { stubImpls } from "./stubNodes.ts";

export interface StubOptions {
  readonly root: string;
  readonly libraries?: Readonly<Record<string, string>>;
  readonly tensorBudget?: number;
  readonly timeoutMs?: number;
  readonly memoryBytes?: number;
  readonly cores?: number;
}

export const stubDefs = Object.fromEntries(Object.entries(stubImpls).map(([type, { def }]) => [type, def]));

/** Bundles the stub step program once; under the project, so that it finds its packages. */
export async function bundleStubStep(): Promise<string> {
  const folder = join(projectRoot, "dist", `stub-${process.pid}`);
  await bundle({ step: "test/support/stubStep.ts", runner: "test/support/stubRunner.ts" }, folder);
  return folder;
}

export async function temporaryRoot(): Promise<string> {
  return mkdtemp(join(tmpdir(), "edgewright-executor-"));
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

export function stubExecutor(module: string, options: StubOptions) {
  const { root, libraries = { stub: "1" }, tensorBudget = 2 ** 30, cores = 4 } = options;
  const { home } = openWorkspace(root, join(root, ".edgewright"));
  const blobs = new BlobStore(home);
  const artifacts = createArtifacts(blobs);
  const cache = new ResultCache(blobs);
  const runs = new RunStore(home);
  const limits = { timeoutMs: options.timeoutMs ?? 60_000, memoryBytes: options.memoryBytes ?? 2 ** 30 };
  const pool = new StepPool({ module, limits, warm: 2 });
  const executor = new Executor({
    blobs,
    cache,
    runs,
    pool,
    libraries,
    tensorBudget,
    ingest: new Ingest({ root, blobs, builtins: join(root, "models") }),
    targets: [testTarget],
    defs: stubDefs,
    schedule: new Schedule(cores, new DeviceLock("stub", root)),
    last: new LastResults(blobs, keyPartsSchema),
    exportsDir: join(root, "exports"),
    exported: () => exportedFingerprints(join(root, "exports")),
    capabilities: async () => new Set<string>(),
    partVersions: async () => ({}),
    capabilityFixes: {},
    describeOutput: (ref) => describeOutput(artifacts, ref),
  });
  return { executor, blobs, artifacts, cache, runs };
}
