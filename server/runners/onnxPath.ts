import { join } from "node:path";
import type { Artifacts } from "../../nodes/context.ts";
import type { ArtifactRef } from "../../nodes/ports.ts";

/** Where native code opens a model artifact: the file, or `model.onnx` with its external data beside it. */
export async function onnxPath(artifacts: Pick<Artifacts, "path">, ref: ArtifactRef<"model">): Promise<string> {
  const path = await artifacts.path(ref);
  return ref.form === "tree" ? join(path, "model.onnx") : path;
}
