/** A store of blobs in a folder of its own, which is removed after the test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createArtifacts } from "../../server/storage/artifacts.ts";
import { BlobStore } from "../../server/storage/blobs.ts";
import { Ingest } from "../../server/storage/ingest.ts";
import { openWorkspace } from "../../server/storage/workspace.ts";

export function temporaryStore() {
  const root = mkdtempSync(join(tmpdir(), "edgewright-storage-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const { home } = openWorkspace(root, join(root, ".edgewright"));
  const blobs = new BlobStore(home);
  return {
    root,
    home,
    blobs,
    artifacts: createArtifacts(blobs),
    ingest: new Ingest({ root, blobs, builtins: join(root, "ships") }),
  };
}
