/** The step process of executor tests: the stub node types, no runtime. */
import { serveSteps } from "../../server/executor/stepProcess.ts";
import { createArtifacts } from "../../server/storage/artifacts.ts";
import { BlobStore } from "../../server/storage/blobs.ts";
import { stubImpls } from "./stubNodes.ts";

const none = () => {
  throw new Error("tests of the executor have no runtime");
};

const loaders = Object.fromEntries(Object.entries(stubImpls).map(([type, impl]) => [type, async () => impl]));

serveSteps(loaders, ({ home }) => ({
  artifacts: createArtifacts(new BlobStore(home)),
  runner: { runtime: "none", open: none, measure: none, optimize: none },
  evaluator: { open: none },
  tensorRt: async () => undefined,
  pytorchExporter: async () => undefined,
}));
