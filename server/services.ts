/** The composition root: the only place that knows every part and wires them. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { nodeDefs } from "../nodes/registry.gen.ts";
import type { DeviceProfile } from "../targets/deviceProfile.ts";
import { deviceProfiles } from "../targets/index.ts";
import { fromEnvironment } from "./environment.ts";
import { Executor } from "./executor/executor.ts";
import { keyPartsSchema } from "./executor/key.ts";
import type { PrepareContext } from "./executor/prepare.ts";
import { Schedule } from "./executor/schedule.ts";
import type { StepPool } from "./executor/stepPool.ts";
import { localCpu } from "./localCpu.ts";
import { projectRoot } from "./projectRoot.ts";
import { capabilities, capabilityFixes, partVersions } from "./runners/capabilities.ts";
import { createStepPool } from "./stepProcesses.ts";
import { createArtifacts } from "./storage/artifacts.ts";
import { BlobStore } from "./storage/blobs.ts";
import { ResultCache } from "./storage/cache.ts";
import { type CatalogueEntry, readCatalogue } from "./storage/catalogue.ts";
import { CatalogueFiles } from "./storage/catalogueFiles.ts";
import { type Cleaned, clean, storedBytes } from "./storage/clean.ts";
import { describeOutput } from "./storage/describeOutput.ts";
import { DeviceLock } from "./storage/deviceLock.ts";
import { exportedFingerprints } from "./storage/exported.ts";
import { Ingest } from "./storage/ingest.ts";
import { LastResults } from "./storage/lastResults.ts";
import { PipelineStore } from "./storage/pipelines.ts";
import { RunStore } from "./storage/runs.ts";
import { type NamedSource, shippedSources } from "./storage/shipped.ts";
import { openWorkspace, type Workspace } from "./storage/workspace.ts";

const GB = 2 ** 30;

export interface Services extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly defs: typeof nodeDefs;
  readonly blobs: BlobStore;
  readonly artifacts: ReturnType<typeof createArtifacts>;
  readonly ingest: Ingest;
  /** Models that a source may name. */
  readonly catalogue: readonly CatalogueEntry[];
  /** What a source may name without a file: what ships, and the catalogue. */
  namedSources(): Promise<readonly NamedSource[]>;
  readonly pipelines: PipelineStore;
  readonly executor: Executor;
  readonly targets: readonly DeviceProfile[];
  capabilities(): Promise<ReadonlySet<string>>;
  /** What a document is checked against before it runs. */
  prepareContext(): Promise<PrepareContext>;
  /** Removes results, the longest unused first, until at most `budget` bytes stay. */
  clean(budget: number): Promise<Cleaned>;
  /** Forks step processes ahead of need. */
  warmUp(): void;
}

export interface ServicesOptions {
  readonly root: string;
  /** Its own processes where absent: a server has the next step's at hand, a single run starts what it needs. */
  readonly pool?: StepPool;
}

export function createServices({ root, ...given }: ServicesOptions): Services {
  const workspace = openWorkspace(root);
  const { home } = workspace;
  const blobs = new BlobStore(home);
  const artifacts = createArtifacts(blobs);
  const cache = new ResultCache(blobs);
  const runs = new RunStore(home);
  const pipelines = new PipelineStore(workspace.root, nodeDefs);
  const builtins = join(projectRoot, "models");
  const catalogue = new CatalogueFiles({ home, entries: readCatalogue(builtins) });
  const ingest = new Ingest({ root: workspace.root, blobs, builtins, catalogue });
  const cores = availableParallelism();
  const pool = given.pool ?? createStepPool(Math.min(cores, 4));
  const targets = [localCpu(), ...deviceProfiles];
  const trim = async (budget: number, graceMs: number) => {
    return clean({ blobs, cache, runs, budget, graceMs, texts: await pipelines.texts() });
  };
  const budget = fromEnvironment("EDGEWRIGHT_CACHE_GB", 20) * GB;
  const executor = new Executor({
    blobs,
    cache,
    ingest,
    pool,
    runs,
    targets,
    defs: nodeDefs,
    schedule: new Schedule(cores, new DeviceLock("local-cpu")),
    last: new LastResults(blobs, keyPartsSchema),
    libraries: libraryVersions(),
    partVersions: (parts) => partVersions(home, parts),
    exportsDir: join(workspace.root, "exports"),
    exported: () => exportedFingerprints(join(workspace.root, "exports")),
    tensorBudget: fromEnvironment("EDGEWRIGHT_TENSOR_BUDGET", 2 * GB),
    capabilities: () => capabilities(home),
    capabilityFixes,
    describeOutput: (ref) => describeOutput(artifacts, ref),
    afterRun: async () => {
      if ((await storedBytes(blobs)) > budget) await trim(budget, 60_000);
    },
  });
  return {
    workspace,
    defs: nodeDefs,
    blobs,
    artifacts,
    ingest,
    catalogue: catalogue.entries,
    namedSources: async () => [...(await shippedSources(builtins)), ...catalogue.entries.map(namedEntry)],
    pipelines,
    executor,
    targets,
    capabilities: () => capabilities(home),
    prepareContext: () => executor.prepareContext(),
    clean: (budget) => trim(budget, 0),
    warmUp: () => pool.warmUp(),
    [Symbol.asyncDispose]: () => executor.close(),
  };
}

/** Weights that are no ONNX yet are a file, for export-pytorch. */
function namedEntry({ id, title, format, licence }: CatalogueEntry): NamedSource {
  return { source: id, kinds: [format === "onnx" ? "model" : "file"], title: `${title}, ${licence}` };
}

/** Native libraries whose version may change a result. Read from their packages: loading them takes a while. */
function libraryVersions(): Record<string, string> {
  const version = (name: string): string => {
    const path = join(projectRoot, "node_modules", name, "package.json");
    const found: { version: string } = JSON.parse(readFileSync(path, "utf8"));
    return found.version;
  };
  return { onnxruntime: version("onnxruntime-node"), sharp: version("sharp") };
}
