/** The `Artifacts` that nodes see, over the blob store: kinds, trees (manifest blobs), reports and models. */
import { open } from "node:fs/promises";
import { z } from "zod";
import type { Artifacts } from "../../nodes/context.ts";
import { OperationalError, UserError } from "../../nodes/context.ts";
import type { ByteSource } from "../../onnx/ir/tensor.ts";
import { sortKeys } from "../../pipelines/document/doc.ts";
import { type BlobStore, checkedName, type TreeFiles } from "./blobs.ts";
import { openModel, saveModel } from "./modelArtifact.ts";

const READ_LIMIT = 256 * 2 ** 20;
const manifestSchema = z.strictObject({
  files: z.record(
    z.string(),
    z.strictObject({ digest: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().nonnegative() }),
  ),
});

export function createArtifacts(blobs: BlobStore): Artifacts {
  const read: Artifacts["read"] = async ({ digest }, limit = READ_LIMIT) => {
    const { size } = await blobs.locate(digest);
    if (size > limit) {
      throw new UserError("too-large", `a file of ${size} bytes is above the limit of ${limit} bytes here`);
    }
    return blobs.read(digest);
  };
  const readText: Artifacts["readText"] = async (ref) => new TextDecoder().decode(await read(ref));
  const readJson: Artifacts["readJson"] = async (ref) => JSON.parse(await readText(ref));
  const files: Artifacts["files"] = async ({ digest }) => {
    const tree = await readTree(blobs, digest);
    if (!tree) throw new OperationalError("not-a-tree", `${digest.slice(0, 12)} is a file, not a folder`);
    return tree;
  };
  const artifacts: Artifacts = {
    read,
    readText,
    readJson,
    files,
    source: ({ digest }) => fileSource(blobs, digest),
    path: async (ref) => {
      if (ref.form === "tree") return blobs.materialise(ref.digest, await files(ref));
      return (await blobs.locate(ref.digest)).path;
    },
    filePath: async ({ digest }) => (await blobs.locate(digest)).path,
    put: async (kind, bytes) => ({ kind, ...(await blobs.put(bytes)) }),
    putStream: (chunks) => blobs.putStream(chunks),
    putFile: (path) => blobs.moveIn(path),
    putTree: async (kind, tree) => {
      const { digest } = await putTree(blobs, tree);
      const size = Object.values(tree).reduce((sum, file) => sum + file.size, 0);
      return { kind, digest, size, form: "tree" };
    },
    report: (report) => artifacts.put("report", new TextEncoder().encode(JSON.stringify(report))),
    openModel: (ref) => openModel(artifacts, ref),
    saveModel: (model) => saveModel(artifacts, model),
  };
  return artifacts;
}

/** Stores the manifest of a folder: canonical JSON, so that equal folders have equal digests. */
export async function putTree(blobs: BlobStore, tree: TreeFiles): Promise<{ digest: string; size: number }> {
  for (const name of Object.keys(tree)) checkedName(name);
  const files = Object.fromEntries(Object.entries(tree).map(([name, { digest, size }]) => [name, { digest, size }]));
  return blobs.put(new TextEncoder().encode(JSON.stringify(sortKeys({ files }))));
}

/** The files of a manifest blob; undefined where the blob is something else. */
export async function readTree(blobs: BlobStore, digest: string): Promise<TreeFiles | undefined> {
  if ((await blobs.locate(digest)).size > READ_LIMIT) return undefined;
  const bytes = await blobs.read(digest);
  if (bytes[0] !== 0x7b) return undefined;
  try {
    const manifest = manifestSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    if (!manifest.success) return undefined;
    for (const name of Object.keys(manifest.data.files)) checkedName(name);
    return manifest.data.files;
  } catch {
    return undefined;
  }
}

/**
 * Reads of a stored file at any offset. The file is opened for each read: none is left open behind a lazy tensor, and one
 * that is borrowed and has changed is found out.
 */
async function fileSource(blobs: BlobStore, digest: string): Promise<ByteSource> {
  const { size } = await blobs.locate(digest);
  const readInto = async (bytes: Uint8Array, offset: number) => {
    const { byteLength } = bytes;
    if (offset < 0 || offset + byteLength > size) throw new RangeError("read past the end of the file");
    const { path } = await blobs.locate(digest);
    await using file = await open(path);
    for (let at = 0; at < byteLength; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(byteLength - at, 2 ** 30), offset + at);
      if (bytesRead === 0) throw new RangeError("the file ends early");
      at += bytesRead;
    }
  };
  return {
    size,
    readInto,
    read: async (offset, length) => {
      if (offset + length > size) throw new RangeError("read past the end of the file");
      // Not zeroed: every byte is read into.
      const bytes = Buffer.allocUnsafeSlow(length);
      await readInto(bytes, offset);
      return bytes;
    },
  };
}
