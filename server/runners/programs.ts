/** Other programs, run to their end: their output bounded, their life bound to the step's. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const MAX_OUTPUT = 64 * 2 ** 20;

export interface ProgramResult {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  /** Written to stdin, which then stays open, so that the program can notice that its caller is gone. */
  readonly input?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Gets each piece of output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** Rejects where the program cannot be started, was aborted or timed out; any exit code resolves. */
export function runProgram(command: string, args: readonly string[], options: ProgramOptions = {}) {
  return new Promise<ProgramResult>((resolve, reject) => {
    const signals = [
      options.signal,
      options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs),
    ];
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      signal: AbortSignal.any(signals.filter((signal) => signal !== undefined)),
      killSignal: "SIGKILL",
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8");
      child[name].on("data", (text: string) => {
        options.onOutput?.(text);
        if (output[name].length < MAX_OUTPUT) output[name] += text;
      });
    }
    // A program that ends without reading is no failure of ours: its exit code tells.
    child.stdin.on("error", () => undefined);
    if (options.input === undefined) child.stdin.end();
    else child.stdin.write(options.input);
    child.on("error", reject);
    child.on("close", (code) => {
      child.stdin.destroy();
      resolve({ code, ...output });
    });
  });
}

/** The first of `names` found in PATH or in one of the `folders`. */
export function findProgram(names: readonly string[], folders: readonly string[] = []): string | undefined {
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const files = process.platform === "win32" ? names.map((name) => `${name}.exe`) : names;
  for (const folder of [...path, ...folders]) {
    const found = files.map((file) => join(folder, file)).find((file) => existsSync(file));
    if (found) return found;
  }
  return undefined;
}

/** A file of the project that is not bundled: this module's own place differs between source and bundle. */
export function projectFile(path: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, path);
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) throw new Error(`the installation lacks ${path}`);
  }
}
