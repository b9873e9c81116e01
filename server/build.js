/**
 * Bundles the server's programs into dist/ (a tenth of a second): ESM with packages left outside, so that native
 * modules load from node_modules. Plain JavaScript, since it runs before anything is built.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const programs = {
  cli: "server/cli/cli.ts",
  step: "server/step.ts",
  main: "server/main.ts",
  drawThread: "nodes/load-scene/scene/drawThread.ts",
};

/** Packages of many files that every start would look up and read one by one. */
const BUNDLED = new Set(["zod", "commander"]);

/** All other packages. */
function external() {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter((name) => !BUNDLED.has(name))
    .flatMap((name) => [name, `${name}/*`]);
}

/** Bundles TypeScript entry points (`{name: path}`) to `outdir/name.js`; dynamic imports become chunks beside them. */
export async function bundle(entries, outdir) {
  const { metafile } = await build({
    metafile: true,
    entryPoints: entries,
    outdir,
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    external: external(),
    platform: "node",
    target: "node20",
    format: "esm",
    sourcemap: true,
    logLevel: "warning",
    banner: {
      js: 'import { createRequire as bundleRequire } from "node:module"; const require = bundleRequire(import.meta.url);',
    },
  });
  removeOldChunks(join(outdir, "chunks"), new Set(Object.keys(metafile.outputs).map((path) => join(root, path))));
}

/** Chunks of earlier builds; for an hour a program that is still running may ask for one. */
function removeOldChunks(folder, current) {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const path = join(folder, name);
    if (!current.has(path) && Date.now() - statSync(path).mtimeMs > 3_600_000) rmSync(path);
  }
}

export async function buildServer() {
  const entries = Object.fromEntries(Object.entries(programs).filter(([, path]) => existsSync(join(root, path))));
  await bundle(entries, join(root, "dist"));
}

// Not where this file is part of another program's bundle, which is then the one that was started.
const started = process.argv[1] === fileURLToPath(import.meta.url) && process.argv[1] === join(root, "server/build.js");
if (started) await buildServer();
