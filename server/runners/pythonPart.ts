/**
 * Optional parts of this installation that are Python: an isolated environment in the workspace, made by uv or by Python's
 * venv, with pinned packages and nothing shared with any other Python. Deleting its folder undoes the set-up.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { UserError } from "../../nodes/context.ts";
import { findProgram, runProgram } from "./programs.ts";

export interface PythonPart {
  /** Name of the part and of its folder. */
  readonly name: string;
  /** Environment variable that names a folder which several workspaces share. */
  readonly variable: string;
  readonly version: string;
  /** Pinned, in the order in which they are installed; `index` is looked at instead of PyPI, and may be out of reach. */
  readonly installs: readonly { readonly packages: readonly string[]; readonly index?: string }[];
  /** Oldest Python, 3.N. */
  readonly minor: number;
  /** Python code that fails where the packages do not work. */
  readonly probe: string;
}

export interface PythonInstall {
  readonly version: string;
  /** The environment's interpreter. */
  readonly python: string;
}

export interface SetupOptions {
  /** The workspace's state folder. */
  readonly home: string;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

const ready = z.object({ version: z.string() });
/** Written last by the set-up: without it the environment is half made. */
const readyFile = (folder: string) => join(folder, "ready.json");

/** The environment's folder: the workspace's, or one that several share. */
export function partFolder({ name, variable }: PythonPart, home: string): string {
  return process.env[variable] || join(home, name);
}

function pythonOf(folder: string): string {
  return process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
}

/** What is installed; undefined where the set-up has not been run to its end. */
export async function partInstall(part: PythonPart, home: string): Promise<PythonInstall | undefined> {
  const folder = partFolder(part, home);
  const python = pythonOf(folder);
  if (!existsSync(readyFile(folder)) || !existsSync(python)) return undefined;
  const found = ready.safeParse(JSON.parse(await readFile(readyFile(folder), "utf8")));
  return found.success ? { version: found.data.version, python } : undefined;
}

/** Makes the environment anew; half-made ones never look ready. Throws UserError with what to install. */
export async function makePart(part: PythonPart, { home, say, signal }: SetupOptions): Promise<string> {
  const folder = partFolder(part, home);
  const options = signal ? { signal } : {};
  await rm(folder, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true });
  await makeEnvironment(folder, part.minor, options);
  const pip = ["-m", "pip", "--disable-pip-version-check", "--no-input", "install"];
  for (const { packages, index } of part.installs) {
    const args = [...pip, ...(index === undefined ? [] : ["--retries", "1", "--index-url", index]), ...packages];
    try {
      await step(pythonOf(folder), args, options);
    } catch (error) {
      if (index === undefined || signal?.aborted) throw error;
      say(`${new URL(index).host} has not given them: ${packages.join(", ")} come from PyPI instead.`);
    }
  }
  await step(pythonOf(folder), ["-I", "-c", part.probe], options);
  await writeFile(readyFile(folder), `${JSON.stringify({ part: part.name, version: part.version })}\n`);
  return folder;
}

type StepOptions = { readonly signal?: AbortSignal };

/** uv where it is (it brings a Python along if need be), else the first Python of PATH with its own venv. */
async function makeEnvironment(folder: string, minor: number, options: StepOptions): Promise<void> {
  const uv = findProgram(["uv"]);
  if (uv) await step(uv, ["venv", "--seed", "--python", `>=3.${minor}`, folder], options);
  else await step(await findPython(minor), ["-m", "venv", folder], options);
}

async function findPython(minor: number): Promise<string> {
  const python = findProgram(["python3", "python"]);
  if (!python) {
    throw new UserError("no-python", "there is no Python in PATH", `Install Python 3.${minor} or newer, or uv.`);
  }
  const probe = `import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, ${minor}) else 9)`;
  const { code } = await runProgram(python, ["-c", probe], { timeoutMs: 60_000 });
  if (code === 0) return python;
  if (code === 9) {
    const fix = `Install Python 3.${minor} or newer, first in PATH, or uv.`;
    throw new UserError("old-python", `${python} is older than 3.${minor}`, fix);
  }
  throw new UserError(
    "no-venv",
    `${python} cannot make isolated environments (its modules venv and ensurepip are missing)`,
    "Install them: on Debian and Ubuntu `sudo apt install python3-venv`; or install uv.",
  );
}

async function step(command: string, args: readonly string[], options: StepOptions): Promise<void> {
  const { code, stdout, stderr } = await runProgram(command, args, options);
  if (code === 0) return;
  const last = (stderr.trim() || stdout.trim()).split("\n").slice(-4).join("\n");
  throw new UserError(
    "setup-failed",
    `\`${[command, ...args].join(" ")}\` failed:\n${last}`,
    "Check the network and the free disk space, then run the set-up again.",
  );
}
