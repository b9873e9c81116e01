/** The step process's program: every node type, on this machine's runtimes. */
import { nodeImpls } from "../nodes/registry.server.gen.ts";
import { serveSteps } from "./executor/stepProcess.ts";
import { createStepRuntime } from "./stepRuntime.ts";

serveSteps(nodeImpls, createStepRuntime);
