/**
 * `npm run bench [NAME...]`: runs bench/NAME.bench.ts, all of them by default, one after the other in a process each.
 * Prints the machine first: figures without it mean nothing. A peer is measured in the same run, interleaved.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ensureReady, projectRoot } from "../server/bootstrap.js";
import { machineLine } from "./machine.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const all = readdirSync(here)
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.replace(/\.bench\.ts$/, ""));
const wanted = process.argv.slice(2).length > 0 ? process.argv.slice(2) : all;
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(", ")}; there are ${all.join(", ")}.`);
  process.exit(2);
}

ensureReady({ pages: true });
const { bundle } = await import("../server/build.js");
const outdir = join(projectRoot, "dist", "bench");
await bundle(Object.fromEntries(wanted.map((name) => [name, `bench/${name}.bench.ts`])), outdir);

console.log(machineLine());
for (const name of wanted) {
  console.log(`\n## ${name}`);
  const script = `await (await import(${JSON.stringify(pathToFileURL(join(outdir, `${name}.js`)).href)})).run();`;
  const args = ["--input-type=module", "-e", script];
  const { status } = spawnSync(process.execPath, args, { cwd: projectRoot, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
