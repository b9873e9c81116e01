/**
 * Where things lie. A workspace is a folder (`root`): documents name files below it. Its state (blobs, cache, run logs)
 * is in `home`: `root/.edgewright`, or what `EDGEWRIGHT_HOME` names.
 */
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

export interface Workspace {
  readonly root: string;
  readonly home: string;
}

export function workspaceHome(root: string, home = process.env.EDGEWRIGHT_HOME): string {
  return resolve(home || join(root, ".edgewright"));
}

export function openWorkspace(root: string, home?: string): Workspace {
  const workspace = { root: resolve(root), home: workspaceHome(root, home) };
  for (const folder of ["blobs", "cache", "runs", "tmp", "trees"]) {
    mkdirSync(join(workspace.home, folder), { recursive: true });
  }
  return workspace;
}

/**
 * The workspace of a command: the nearest folder from `from` upwards that holds `.edgewright/`, else `fallback`, the
 * project's own root: so the pipelines of a clone run from any working directory.
 */
export function findRoot(from: string, fallback: string): string {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".edgewright"))) return folder;
    if (dirname(folder) === folder) return resolve(fallback);
  }
}
