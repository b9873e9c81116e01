/** `edgewright setup tensorrt-rtx`: an isolated Python environment with NVIDIA's builder, and nothing else in it. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../../nodes/context.ts";
import { findProgram, runProgram } from "./programs.ts";
import { readyFile, tensorrtRtxFolder, tensorrtRtxInstall, tensorrtRtxPython } from "./tensorrtRtx.ts";

const PACKAGE = "tensorrt-rtx-cu13";
const VERSION = "1.7.1.116";

export interface SetupOptions {
  /** The workspace's state folder. */
  readonly home: string;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Returns the environment's folder. Does nothing where the pinned version is installed already. */
export async function setupTensorrtRtx({ home, say, signal }: SetupOptions): Promise<string> {
  const folder = tensorrtRtxFolder(home);
  if ((await tensorrtRtxInstall(folder))?.version === VERSION) {
    say(`TensorRT for RTX ${VERSION} is set up in ${folder}.`);
    return folder;
  }
  const python = await findPython();
  say(`TensorRT for RTX ${VERSION}: downloads the package ${PACKAGE} from PyPI (about 95 MB; 240 MB installed).`);
  say("It is NVIDIA's, under NVIDIA's proprietary licence; by installing it you accept its terms (LICENSE.txt in it).");
  say(`It goes to ${folder}, apart from any other Python; delete that folder to undo.`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true });
  const options = signal ? { signal } : {};
  await step(python, ["-m", "venv", folder], options);
  const pip = ["-m", "pip", "--disable-pip-version-check", "--no-input"];
  await step(tensorrtRtxPython(folder), [...pip, "install", `${PACKAGE}==${VERSION}`], options);
  await step(tensorrtRtxPython(folder), ["-I", "-c", "import tensorrt_rtx as trt; trt.Builder(trt.Logger())"], options);
  await writeFile(readyFile(folder), `${JSON.stringify({ package: PACKAGE, version: VERSION })}\n`);
  say("Done: compile-tensorrt builds engines now, with no GPU needed.");
  return folder;
}

async function findPython(): Promise<string> {
  if (!(process.arch === "x64" && (process.platform === "linux" || process.platform === "win32"))) {
    throw new UserError(
      "unsupported-system",
      `NVIDIA publishes TensorRT for RTX for Linux and Windows on x86-64 only, and this is ${process.platform} ${process.arch}`,
      "Set it up on such a machine, or use compile-tensorrt with builder = kit.",
    );
  }
  const python = findProgram(["python3", "python"]);
  if (!python) throw new UserError("no-python", "there is no Python in PATH", "Install Python 3.9 or newer.");
  const probe = "import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 9) else 9)";
  const { code } = await runProgram(python, ["-c", probe], { timeoutMs: 60_000 });
  if (code === 0) return python;
  if (code === 9) {
    throw new UserError("old-python", `${python} is older than 3.9`, "Install Python 3.9 or newer, first in PATH.");
  }
  throw new UserError(
    "no-venv",
    `${python} cannot make isolated environments (its modules venv and ensurepip are missing)`,
    "Install them: on Debian and Ubuntu `sudo apt install python3-venv`.",
  );
}

async function step(command: string, args: readonly string[], options: { signal?: AbortSignal }): Promise<void> {
  const { code, stdout, stderr } = await runProgram(command, args, options);
  if (code === 0) return;
  const last = (stderr.trim() || stdout.trim()).split("\n").slice(-4).join("\n");
  throw new UserError(
    "setup-failed",
    `\`${[command, ...args].join(" ")}\` failed:\n${last}`,
    "Check the network and the free disk space, then run the set-up again.",
  );
}
