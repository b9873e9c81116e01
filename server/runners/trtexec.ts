/** TensorRT's own builder, on a machine that has it: engines for the GPU of this machine. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Artifacts, TensorRtBuilder } from "../../nodes/context.ts";
import { OperationalError, UserError } from "../../nodes/context.ts";
import { parseTrtexecVersion, trtexecArguments } from "../../targets/trtexecCommand.ts";
import { layersFromInspector } from "./engineLayers.ts";
import { onnxPath } from "./onnxPath.ts";
import { findProgram, type ProgramResult, runProgram } from "./programs.ts";

/** Where NVIDIA's packages (JetPack, Debian) put it, outside PATH. */
const INSTALL_FOLDERS = ["/usr/src/tensorrt/bin"];

export function findTrtexec(): string | undefined {
  return findProgram(["trtexec"], INSTALL_FOLDERS);
}

export interface BuilderHome {
  readonly artifacts: Artifacts;
  /** Engines lie here until they are stored. */
  readonly tempDir: string;
}

/** Undefined where there is no trtexec; throws UserError where its TensorRT is too old to be strongly typed. */
export async function openTrtexec({ artifacts, tempDir }: BuilderHome): Promise<TensorRtBuilder | undefined> {
  const program = findTrtexec();
  if (!program) return undefined;
  const { stdout, stderr } = await runProgram(program, ["--help"], { timeoutMs: 60_000 });
  const version = parseTrtexecVersion(stdout + stderr);
  if (!version || version.major < 10) {
    throw new UserError(
      "old-tensorrt",
      `${program} is of TensorRT ${version ? `${version.major}.${version.minor}` : "of an unknown version"}; precision that is written in the ONNX needs 10 or newer`,
      "Install TensorRT 10 or newer, or choose the builder tensorrt-rtx.",
    );
  }
  const name = `trtexec ${version.major}.${version.minor}.${version.patch}`;
  return {
    name,
    async build(ref, { computeCapabilities, shapes, signal }) {
      const engine = join(tempDir, "model.engine");
      const layerInfo = join(tempDir, "layers.json");
      const args = trtexecArguments(version, { onnx: await onnxPath(artifacts, ref), engine, shapes, layerInfo });
      const start = performance.now();
      const result = await runProgram(program, args, { signal });
      const buildSeconds = (performance.now() - start) / 1000;
      const capability = readTrtexecOutput(name, result);
      if (!existsSync(engine)) throw new OperationalError("no-engine", `${name} said it passed, but wrote no engine`);
      checkCapability(capability, computeCapabilities);
      const layers = existsSync(layerInfo) ? layersFromInspector(JSON.parse(await readFile(layerInfo, "utf8"))) : [];
      const file = `model-sm${capability.replace(".", "")}.engine`;
      const stored = await artifacts.putFile(engine);
      return {
        engines: { [file]: { ...stored, computeCapability: capability, layers, buildSeconds } },
        warnings: taggedLines(result.stdout + result.stderr, "W"),
      };
    },
  };
}

/** The compute capability of the GPU that trtexec built for; throws UserError with its words where it failed. */
export function readTrtexecOutput(name: string, { code, stdout, stderr }: ProgramResult): string {
  const text = stdout + stderr;
  if (code !== 0 || !text.includes("&&&& PASSED")) {
    const errors = taggedLines(text, "E");
    throw new UserError(
      "tensorrt-refused",
      `${name} refuses the model: ${errors.join("; ") || `exit code ${code}`}`,
      "Change what it names; quantize with layout tensorrt, simplify first, or keep the named nodes in float.",
    );
  }
  const capability = /Compute Capability: (\d+\.\d+)/.exec(text)?.[1];
  if (!capability) throw new OperationalError("no-device", `${name} named no GPU that it built for`);
  return capability;
}

function checkCapability(built: string, wanted: readonly string[]): void {
  if (wanted.length === 0 || (wanted.length === 1 && wanted[0] === built)) return;
  throw new UserError(
    "other-gpu",
    `trtexec builds for the GPU of this machine (compute capability ${built}), not for ${wanted.join(", ")}`,
    `Set computeCapabilities to ["${built}"], or choose the builder tensorrt-rtx, which builds for other RTX GPUs.`,
  );
}

/** Messages of lines like `[11/24/2026-10:00:00] [E] Error[4]: ...`, each once. */
function taggedLines(text: string, tag: "E" | "W"): readonly string[] {
  const lines = text.split("\n").flatMap((line) => {
    const match = new RegExp(`^\\[[^\\]]*\\] \\[${tag}\\] (?:\\[TRT\\] )?(.*\\S)`).exec(line);
    return match?.[1] ? [match[1]] : [];
  });
  return [...new Set(lines)];
}
