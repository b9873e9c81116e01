/** `npm run bench:optimiser`: see optimiser/main.ts. Prints the machine first: figures without it mean nothing. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureReady, projectRoot } from "../server/bootstrap.js";
import { machineLine } from "./machine.js";

ensureReady({ pages: false });
const { bundle } = await import("../server/build.js");
const outdir = join(projectRoot, "dist", "bench");
await bundle({ optimiser: "bench/optimiser/main.ts" }, outdir);
const machine = machineLine();
console.log(machine);
try {
  const { run } = await import(pathToFileURL(join(outdir, "optimiser.js")).href);
  await run(machine, process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
