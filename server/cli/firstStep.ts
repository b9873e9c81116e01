/** The first step's process of a run, started before the command itself is loaded: the two load side by side. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { StepPool } from "../executor/stepPool.ts";
import { createStepPool } from "../stepProcesses.ts";
import { workspaceHome } from "../storage/workspace.ts";
import { workspaceRoot } from "./root.ts";

/** None is started where a server may hold the workspace: the run is its own then. */
export function firstStep(file: string): StepPool {
  const pool = createStepPool(1);
  if (!existsSync(join(workspaceHome(workspaceRoot(file)), "server.json"))) pool.warmUp();
  return pool;
}
