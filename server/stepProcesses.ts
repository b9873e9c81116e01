/** The pool of step processes, wired apart from the other services: a command starts the first one while those load. */
import { totalmem } from "node:os";
import { join } from "node:path";
import { fromEnvironment } from "./environment.ts";
import { StepPool } from "./executor/stepPool.ts";
import { projectRoot } from "./projectRoot.ts";

/** `warm`: how many are kept ready. */
export function createStepPool(warm: number): StepPool {
  const limits = {
    timeoutMs: fromEnvironment("EDGEWRIGHT_STEP_TIMEOUT", 4 * 3600) * 1000,
    memoryBytes: fromEnvironment("EDGEWRIGHT_STEP_MEMORY", (0.8 * totalmem()) / 2 ** 20) * 2 ** 20,
  };
  return new StepPool({ module: join(projectRoot, "dist/step.js"), limits, warm });
}
