/** A build kit: all that a machine with TensorRT needs to build the engine, for where no builder is at hand. */
import type { ShapeRange } from "../../onnx/passes/tensorrtReadiness.ts";
import { trtexecArguments } from "../../targets/trtexecCommand.ts";
import type { Artifacts } from "../context.ts";
import type { ArtifactRef } from "../ports.ts";

interface StoredFile {
  readonly digest: string;
  readonly size: number;
}

export interface BuildKit {
  /** By the TensorRT versions it is for. */
  readonly commands: Readonly<Record<"10" | "11", string>>;
  readonly files: Readonly<Record<string, StoredFile>>;
  /** The folder of `files` as one artifact. */
  readonly digest: string;
  /** Where that folder lies, absolute. */
  readonly path: string;
}

export async function makeKit(
  artifacts: Artifacts,
  model: ArtifactRef<"model">,
  shapes: Readonly<Record<string, ShapeRange>>,
): Promise<BuildKit> {
  const commands = { "10": command(10, shapes), "11": command(11, shapes) };
  const text = (content: string) => artifacts.putStream(chunks(new TextEncoder().encode(content)));
  const onnx = model.form === "tree" ? await artifacts.files(model) : { "model.onnx": fileOf(model) };
  const files = { ...onnx, "build.sh": await text(script(commands)), "README.md": await text(readme(commands)) };
  const tree = await artifacts.putTree("engine", files);
  return { commands, files, digest: tree.digest, path: await artifacts.path(tree) };
}

function command(major: number, shapes: Readonly<Record<string, ShapeRange>>): string {
  const options = { onnx: "model.onnx", engine: "model.engine", layerInfo: "layers.json", shapes };
  return ["trtexec", ...trtexecArguments({ major }, options).map(shellQuoted)].join(" ");
}

function shellQuoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

function script(commands: BuildKit["commands"]): string {
  return `#!/bin/sh
# Builds model.engine for the GPU of this machine; needs trtexec of TensorRT 10 or newer in PATH.
set -e
cd "$(dirname "$0")"
if trtexec --help 2>&1 | grep -q 'TensorRT v10'; then
  ${commands["10"]}
else
  ${commands["11"]}
fi
`;
}

function readme(commands: BuildKit["commands"]): string {
  return `# Build kit

No engine was built: this folder holds what is needed to build it where TensorRT is, on the device it is for.

With TensorRT 10 (JetPack 6 has 10.3, JetPack 7.2 has 10.16):

    ${commands["10"]}

With TensorRT 11:

    ${commands["11"]}

\`sh build.sh\` picks the right one. On Jetson trtexec lies in /usr/src/tensorrt/bin. The precision is in the ONNX, so no
flag sets it. model.engine holds for this TensorRT version and this GPU; layers.json says what was fused, in which
precision.
`;
}

function fileOf({ digest, size }: StoredFile): StoredFile {
  return { digest, size };
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
