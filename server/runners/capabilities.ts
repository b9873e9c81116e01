/** Optional parts of this installation, by the names that a node's `requires` uses, and the builders behind them. */
import { stat } from "node:fs/promises";
import type { TensorRtBuilder, TensorRtBuilderName } from "../../nodes/context.ts";
import { partInstall } from "./pythonPart.ts";
import { openTensorrtRtx, tensorrtRtx } from "./tensorrtRtx.ts";
import { type BuilderHome, findTrtexec, openTrtexec } from "./trtexec.ts";
import { ultralytics } from "./ultralytics.ts";

/** `trtexec`, `tensorrt-rtx`, `tensorrt` where there is either, and `ultralytics`. `home` is the workspace's state folder. */
export async function capabilities(home: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  if (findTrtexec()) found.add("trtexec");
  if (await partInstall(tensorrtRtx, home)) found.add("tensorrt-rtx");
  if (found.size > 0) found.add("tensorrt");
  if (await partInstall(ultralytics, home)) found.add("ultralytics");
  return found;
}

/** Versions of the parts that a node requires, for its cache key: an engine is its builder's, an export its exporter's. Absent ones are left out. */
export async function partVersions(home: string, parts: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const versions: Record<string, string> = {};
  for (const part of parts) {
    if (part === ultralytics.name) {
      const install = await partInstall(ultralytics, home);
      if (install) versions[part] = `ultralytics ${install.version}`;
      continue;
    }
    const trtexec = part === "tensorrt" || part === "trtexec" ? findTrtexec() : undefined;
    // Asking the program itself takes as long as loading CUDA; an upgrade replaces the file.
    const file = trtexec === undefined ? undefined : await stat(trtexec);
    const install = part === "trtexec" ? undefined : await partInstall(tensorrtRtx, home);
    if (file) versions[part] = `trtexec ${file.size} ${file.mtimeMs}`;
    else if (install) versions[part] = `tensorrt-rtx ${install.version}`;
  }
  return versions;
}

/** What to do about a capability that is missing, for the check before a run. */
export const capabilityFixes: Readonly<Record<string, string>> = {
  tensorrt: "Run `edgewright setup tensorrt-rtx`, or set builder = kit to get the ONNX and the exact command.",
  "tensorrt-rtx": "Run `edgewright setup tensorrt-rtx`, or set builder = kit to get the ONNX and the exact command.",
  ultralytics:
    "Run `edgewright setup ultralytics` (their exporter, AGPL-3.0, and PyTorch; needs uv or Python 3.10), or export the model elsewhere and use load-model.",
  trtexec: "Install TensorRT so that trtexec is in PATH, or set builder = tensorrt-rtx or kit.",
};

/** `RunContext.tensorRt`: the named builder, or the first at hand; this machine's own TensorRT before RTX's. */
export async function openTensorRtBuilder(
  home: string,
  place: BuilderHome,
  name?: TensorRtBuilderName,
): Promise<TensorRtBuilder | undefined> {
  const trtexec = name === "tensorrt-rtx" ? undefined : await openTrtexec(place);
  return trtexec ?? (name === "trtexec" ? undefined : openTensorrtRtx(home, place));
}
