/**
 * From a fresh clone to something that runs: installs what the lock file says, builds what is stale, nothing else.
 * Plain JavaScript on Node's own modules, since it runs before anything is installed. Used by `edgewright` (server/cli/
 * bin.js), `npm start`, `npm test` and `npm run build`.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = fileURLToPath(new URL("..", import.meta.url));
const at = (...parts) => join(projectRoot, ...parts);

const CODE = ["nodes", "onnx", "targets", "pipelines/document", "package-lock.json"];
const SERVER = { name: "server", inputs: [...CODE, "server"], stamp: at("dist", "server.stamp") };
const PAGES = {
  name: "pages",
  inputs: [...CODE, "app", "next.config.js", "postcss.config.js"],
  stamp: at("dist", "pages.stamp"),
};

/** Builds the server's bundles and, where asked, the pages; installs first where node_modules is missing or stale. */
export function ensureReady({ pages }) {
  ensureInstalled();
  const parts = (pages ? [SERVER, PAGES] : [SERVER]).filter((part) => !isFresh(part));
  if (parts.length === 0) return;
  const unlock = lockBuild();
  try {
    for (const part of parts) {
      if (isFresh(part)) continue;
      rmSync(part.stamp, { force: true });
      run("Generating the node registries", process.execPath, [at("nodes", "gen.js")]);
      const before = fingerprint(part);
      if (part === SERVER) run("Building the server", process.execPath, [at("server", "build.js")]);
      else
        run("Building the pages (about ten seconds)", process.execPath, [
          at("node_modules/next/dist/bin/next"),
          "build",
        ]);
      writeFileSync(part.stamp, before);
    }
  } finally {
    unlock();
  }
}

function ensureInstalled() {
  if (isInstalled()) return;
  // npm's own entry file, where npm started us, so that the same npm is used.
  const npm = process.env.npm_execpath;
  if (npm?.endsWith(".js")) run("Installing dependencies", process.execPath, [npm, "ci"]);
  else run("Installing dependencies", process.platform === "win32" ? "npm.cmd" : "npm", ["ci"]);
}

/** Whether npm's own record of node_modules agrees with the lock file; optional packages may be absent. */
function isInstalled() {
  const record = at("node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const have = JSON.parse(readFileSync(record, "utf8")).packages;
  const wanted = JSON.parse(readFileSync(at("package-lock.json"), "utf8")).packages;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    return path === "" || have[path]?.version === version || (optional && !have[path]);
  });
}

function isFresh(part) {
  return existsSync(part.stamp) && readFileSync(part.stamp, "utf8") === fingerprint(part);
}

/** Names, sizes and times of a part's sources: cheap enough for every start. */
function fingerprint(part) {
  const hash = createHash("sha256").update(process.version);
  const visit = (path) => {
    const stat = statSync(at(path), { throwIfNoEntry: false });
    if (!stat) return;
    if (stat.isDirectory()) for (const name of readdirSync(at(path)).sort()) visit(`${path}/${name}`);
    else if (!/\.gen\.ts$|\.test\.tsx?$/.test(path)) hash.update(`${path} ${stat.size} ${stat.mtimeMs}\n`);
  };
  for (const input of part.inputs) visit(input);
  return hash.digest("hex");
}

function run(what, command, args) {
  console.error(`edgewright: ${what} ...`);
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
  // What the tools print goes to stderr: stdout belongs to the command that the user asked for.
  const { status, error } = spawnSync(command, args, { cwd: projectRoot, stdio: ["ignore", 2, 2], env });
  if (status === 0) return;
  console.error(`edgewright: ${what} failed${error ? ` (${error.message})` : ""}; see the lines above.`);
  process.exit(1);
}

/** One build at a time: a second process waits, then finds the parts fresh. A lock of a dead process counts for nothing. */
function lockBuild() {
  const lock = at("dist", ".building");
  mkdirSync(at("dist"), { recursive: true });
  for (let said = false; ; ) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (!isAlive(holderOf(lock))) rmSync(lock, { recursive: true, force: true });
      else {
        if (!said) console.error("edgewright: waiting for another process that builds ...");
        said = true;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      }
    }
  }
}

function holderOf(lock) {
  try {
    const text = readFileSync(lock, "utf8");
    // Just made, its number not yet written: its maker lives.
    if (text === "" && Date.now() - statSync(lock).mtimeMs < 2000) return process.pid;
    return Number(text);
  } catch {
    return 0;
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [task, ...rest] = process.argv.slice(2);
  ensureReady({ pages: true });
  if (task === "test") {
    const vitest = at("node_modules/vitest/vitest.mjs");
    const { status } = spawnSync(process.execPath, [vitest, "run", ...rest], { cwd: projectRoot, stdio: "inherit" });
    process.exit(status ?? 1);
  }
}
