/**
 * Which workspace a command works in: the nearest folder from the working directory upwards that holds `.edgewright/`,
 * else the nearest one around the pipeline's file, else the project's own folder. So a clone's pipelines run from
 * anywhere, and a project folder of the user's own (`mkdir .edgewright`) is a workspace as soon as it wants to be.
 */
import { dirname, resolve } from "node:path";
import { projectRoot } from "../projectRoot.ts";
import { findRoot } from "../storage/workspace.ts";

export function workspaceRoot(file?: string): string {
  const around = file === undefined ? projectRoot : findRoot(dirname(resolve(file)), projectRoot);
  return findRoot(process.cwd(), around);
}
