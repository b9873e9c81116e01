/**
 * Models as artifacts: up to 256 MB one self-contained file; above, a tree of `model.onnx` and one file for each large
 * tensor, named by its digest, so that a pass stores anew only the tensors it changed.
 */
import type { Artifacts } from "../../nodes/context.ts";
import { OperationalError } from "../../nodes/context.ts";
import type { ArtifactRef } from "../../nodes/ports.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import { memorySource, type Tensor } from "../../onnx/ir/tensor.ts";
import { readModel, writeModel } from "../../onnx/serde.ts";
import type { Stored } from "./blobs.ts";

const ONE_FILE_BYTES = 256 * 2 ** 20;
const LARGE_TENSOR_BYTES = 64 * 2 ** 10;
const CHUNK_BYTES = 16 * 2 ** 20;
const AT_ONCE_BYTES = 32 * 2 ** 20;
const MODEL_FILE = "model.onnx";
/** Fewer than the threads that wait for files, so that one is left to read. */
const FLUSHED_TOGETHER = 2;

export async function openModel(artifacts: Artifacts, ref: ArtifactRef<"model">): Promise<Model> {
  // Read at once: a file that is opened for each of its tensors takes longer than all that is done with a small model.
  if (ref.form !== "tree" && ref.size <= AT_ONCE_BYTES) return readModel(memorySource(await artifacts.read(ref)));
  if (ref.form !== "tree") return readModel(await artifacts.source(ref));
  const files = await artifacts.files(ref);
  const open = async (name: string) => {
    const file = Object.hasOwn(files, name) ? files[name] : undefined;
    if (!file) throw new OperationalError("missing-file", `the model has no file "${name}"`);
    return artifacts.source(file);
  };
  return readModel(await open(MODEL_FILE), { openExternal: open });
}

export async function saveModel(artifacts: Artifacts, model: Model): Promise<ArtifactRef<"model">> {
  const tensors = initializers(model);
  const total = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
  if (total <= ONE_FILE_BYTES) return { kind: "model", ...(await artifacts.putStream(writeModel(model))) };
  const stored = new Map<Tensor, Stored>();
  const files: Record<string, Stored> = {};
  const large = new Set(tensors.filter(({ byteLength }) => byteLength >= LARGE_TENSOR_BYTES));
  for (const [tensor, file] of await storeInTurn(artifacts, large)) {
    stored.set(tensor, file);
    files[fileName(file)] = file;
  }
  const placeExternal = (tensor: Tensor) => {
    const file = stored.get(tensor);
    return file && { location: fileName(file), offset: 0, length: file.size };
  };
  files[MODEL_FILE] = await artifacts.putStream(writeModel(model, { placeExternal }));
  return artifacts.putTree("model", files);
}

/** Reads one tensor after another, since some are computed as they are read; what was read is on its way to the disk meanwhile. */
async function storeInTurn(
  artifacts: Artifacts,
  tensors: ReadonlySet<Tensor>,
): Promise<readonly (readonly [Tensor, Stored])[]> {
  const done: (readonly [Tensor, Stored])[] = [];
  const flushing: Promise<unknown>[] = [];
  for (const tensor of tensors) {
    let read = () => {};
    const isRead = new Promise<void>((resolve) => {
      read = resolve;
    });
    const file = artifacts.putStream(tensorChunks(tensor, read)).then((stored) => done.push([tensor, stored]));
    // Its failure is told when it is waited for.
    file.catch(() => {});
    flushing.push(file);
    await Promise.race([isRead, file]);
    if (flushing.length === FLUSHED_TOGETHER) await flushing.shift();
  }
  await Promise.all(flushing);
  return done;
}

/** Tensors that may lie outside the model file: runtimes read those of attributes inside it only. */
function initializers(model: Model): readonly Tensor[] {
  const found: Tensor[] = [];
  // The writer asks for each tensor's place while it lays out the structure; its bytes are not read for that.
  writeModel(model, {
    placeExternal: (tensor, name) => {
      if (name !== "") found.push(tensor);
      return undefined;
    },
  });
  return found;
}

/** `read` is called when every byte has been read, the last of them not yet taken. */
async function* tensorChunks(tensor: Tensor, read: () => void): AsyncIterable<Uint8Array> {
  const { ref } = tensor;
  const length = ref?.length ?? 0;
  for (let at = 0; ref && at < length; at += CHUNK_BYTES) {
    const bytes = await ref.source.read(ref.offset + at, Math.min(CHUNK_BYTES, length - at));
    if (at + CHUNK_BYTES >= length) read();
    yield bytes;
  }
  if (ref) return;
  const bytes = await tensor.bytes();
  read();
  yield bytes;
}

function fileName(file: Stored): string {
  return `${file.digest}.bin`;
}
