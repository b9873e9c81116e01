/**
 * The Python tools that we are measured beside, in an environment of their own outside the project. Made on first use;
 * what cannot be had is said, and its rows are left out.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { projectRoot } from "../../server/projectRoot.ts";
import { type Ended, measuredProcess } from "./measuredProcess.ts";

const scripts = join(projectRoot, "bench/peers");
const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "edgewright", "bench-peers");
const python = join(folder, "bin/python");

export interface Peers {
  /** Graphs with random weights by name, made once; without those that cannot be made. */
  graph(name: string): Promise<string | undefined>;
  /** Versions by package, of those that are there. */
  readonly versions: Readonly<Record<string, string>>;
  /** Runs a script of bench/peers; throws with the last line it said where it fails. */
  run(script: string, args: readonly (string | number)[]): Promise<Ended>;
}

const PACKAGES = ["onnxruntime", "onnxslim", "nncf", "amd-quark", "nvidia-modelopt", "aimet-onnx", "ultralytics"];
/** What a package asks for on its own, where its own word for it would bring parts for a GPU. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  "nvidia-modelopt": ["cppimport", "lief", "onnx_graphsurgeon", "onnxconverter-common", "polygraphy"],
};

/** Undefined, with a word on why, where no Python environment can be made. */
export function openPeers(say: (line: string) => void): Peers | undefined {
  if (!existsSync(python) && !createEnvironment(say)) return undefined;
  const wanted = requirements();
  const missing = PACKAGES.filter((name) => installedVersion(name) === undefined);
  if (missing.length > 0) {
    say(`Installing ${missing.join(", ")} into ${folder}: about 7 GB with PyTorch, several minutes.`);
    for (const name of missing)
      install(
        [name, ...(BESIDE[name] ?? [])].map((one) => `${one}==${wanted[one]}`),
        say,
      );
  }
  const versions = Object.fromEntries(
    PACKAGES.flatMap((name) => {
      const version = installedVersion(name);
      return version ? [[name, version]] : [];
    }),
  );
  return { versions, run: runScript, graph: (name) => graphPath(name, say) };
}

function createEnvironment(say: (line: string) => void): boolean {
  const found = [process.env.PYTHON, "python3.12", "python3.11", "python3"].find(
    (name) => name && spawnSync(name, ["-c", "import venv, sys; assert sys.version_info >= (3, 10)"]).status === 0,
  );
  if (!found) {
    say("No Python 3.10 or newer with venv was found (set PYTHON to one): the peers' rows are left out.");
    return false;
  }
  mkdirSync(dirname(folder), { recursive: true });
  const { status, stderr } = spawnSync(found, ["-m", "venv", folder], { encoding: "utf8" });
  if (status !== 0) say(`${found} makes no environment: ${lastLine(stderr)}. The peers' rows are left out.`);
  return status === 0;
}

/** Name to version, from requirements.txt. */
function requirements(): Readonly<Record<string, string>> {
  const lines = readFileSync(join(scripts, "requirements.txt"), "utf8").split("\n");
  return Object.fromEntries(lines.filter((line) => line.includes("==")).map((line) => line.trim().split("==")));
}

function installedVersion(name: string): string | undefined {
  const { status, stdout } = spawnSync(
    python,
    ["-c", `import importlib.metadata as m; print(m.version(${JSON.stringify(name)}))`],
    { encoding: "utf8" },
  );
  return status === 0 ? stdout.trim() : undefined;
}

function install(names: readonly string[], say: (line: string) => void): void {
  const constraints = join(scripts, "requirements.txt");
  const args = ["-m", "pip", "install", "--quiet", "--no-cache-dir", "--constraint", constraints, ...names];
  const { status, stderr } = spawnSync(python, args, { encoding: "utf8", maxBuffer: 2 ** 26 });
  if (status !== 0) say(`${names.join(", ")} does not install: ${lastLine(stderr)}. Its rows are left out.`);
}

async function graphPath(name: string, say: (line: string) => void): Promise<string | undefined> {
  const graphs = join(folder, "graphs");
  const path = join(graphs, `${name}.onnx`);
  if (existsSync(path)) return path;
  mkdirSync(graphs, { recursive: true });
  const { stderr } = await runScript("make_graphs.py", [graphs]);
  if (!existsSync(path)) say(`  ${name} is not made: ${lastLine(stderr)}`);
  return existsSync(path) ? path : undefined;
}

async function runScript(script: string, args: readonly (string | number)[]): Promise<Ended> {
  const ended = await measuredProcess(python, [join(scripts, script), ...args.map(String)], {
    env: { PYTHONWARNINGS: "ignore", CUDA_VISIBLE_DEVICES: "", NNCF_LOG_LEVEL: "ERROR" },
    timeoutSeconds: 900,
  });
  if (ended.status !== 0) throw new Error(`${script}: ${lastLine(ended.stderr)}`);
  return ended;
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
