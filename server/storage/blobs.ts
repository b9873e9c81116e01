/**
 * Immutable bytes named by their SHA-256, as files `blobs/ab/cdef...`. A blob is written beside its place, flushed and
 * renamed, so a crash leaves either the whole blob or none. Files are made read-only: native code opens them in place.
 */
import { createHash, randomBytes } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { access, chmod, copyFile, link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { OperationalError } from "../../nodes/context.ts";

export interface Stored {
  readonly digest: string;
  readonly size: number;
}
export type TreeFiles = Readonly<Record<string, Stored>>;

const DIGEST = /^[0-9a-f]{64}$/;

export class BlobStore {
  constructor(readonly home: string) {}

  /** Where a blob lies, present or not. Throws on what is no digest, so nothing else becomes a path. */
  path(digest: string): string {
    if (!DIGEST.test(digest)) throw new OperationalError("bad-digest", `"${digest}" is not a SHA-256`);
    return join(this.home, "blobs", digest.slice(0, 2), digest.slice(2));
  }

  async has(digest: string): Promise<boolean> {
    return access(this.path(digest)).then(
      () => true,
      () => false,
    );
  }

  /** Bytes of the blob; throws `missing-blob` where it is not in the store. */
  async size(digest: string): Promise<number> {
    try {
      return (await stat(this.path(digest))).size;
    } catch (cause) {
      throw missing(digest, cause);
    }
  }

  async read(digest: string): Promise<Uint8Array> {
    try {
      return await readFile(this.path(digest));
    } catch (cause) {
      throw missing(digest, cause);
    }
  }

  async put(bytes: Uint8Array): Promise<Stored> {
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (await this.has(digest)) return { digest, size: bytes.byteLength };
    return this.putStream([bytes]);
  }

  async putStream(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Stored> {
    const temp = this.tempPath();
    const file = await open(temp, "wx");
    try {
      const hash = createHash("sha256");
      let size = 0;
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.byteLength;
        await file.writeFile(chunk);
      }
      await file.sync();
      await file.close();
      const digest = hash.digest("hex");
      await this.#adopt(temp, digest);
      return { digest, size };
    } catch (error) {
      await file.close().catch(() => {});
      await rm(temp, { force: true });
      throw error;
    }
  }

  /** Moves a file into the store; copies where it lies on another file system. */
  async moveIn(path: string): Promise<Stored> {
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      hash.update(chunk);
      size += chunk.length;
    }
    const digest = hash.digest("hex");
    const temp = this.tempPath();
    try {
      await rename(path, temp);
    } catch (error) {
      if (!isCode(error, "EXDEV")) throw error;
      await copyFile(path, temp, constants.COPYFILE_FICLONE);
      await rm(path);
    }
    const file = await open(temp, "r");
    await file.sync();
    await file.close();
    await this.#adopt(temp, digest);
    return { digest, size };
  }

  /** A folder of hard links to stored files, made once for each manifest. Read only. */
  async materialise(manifest: string, files: TreeFiles): Promise<string> {
    const folder = join(this.home, "trees", manifest);
    if (await exists(folder)) return folder;
    const temp = this.tempPath();
    for (const [name, { digest }] of Object.entries(files)) {
      const at = join(temp, checkedName(name));
      await mkdir(dirname(at), { recursive: true });
      await link(this.path(digest), at).catch((error: unknown) => {
        if (isCode(error, "ENOENT")) throw missing(digest, error);
        return copyFile(this.path(digest), at, constants.COPYFILE_FICLONE);
      });
    }
    await mkdir(temp, { recursive: true });
    try {
      await rename(temp, folder);
    } catch (error) {
      await rm(temp, { recursive: true, force: true });
      if (!(await exists(folder))) throw error;
    }
    return folder;
  }

  /** A fresh path on the store's own file system, for what will be moved in. */
  tempPath(): string {
    return join(this.home, "tmp", randomBytes(9).toString("hex"));
  }

  async #adopt(temp: string, digest: string): Promise<void> {
    const path = this.path(digest);
    await mkdir(dirname(path), { recursive: true });
    await chmod(temp, 0o444);
    await rename(temp, path);
  }
}

/** A relative name with forward slashes that stays in its folder; throws on any other. */
export function checkedName(name: string): string {
  const parts = name.split("/");
  if (name.includes("\\") || name.includes("\0") || parts.some((p) => p === "" || p === "." || p === "..")) {
    throw new OperationalError(
      "bad-name",
      `"${name}" is not a name within a folder`,
      "Use relative names with forward slashes.",
    );
  }
  return name;
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function missing(digest: string, cause: unknown): Error {
  if (!isCode(cause, "ENOENT")) return cause instanceof Error ? cause : new Error(String(cause));
  const text = `the stored file ${digest.slice(0, 12)} is gone from the workspace`;
  return new OperationalError("missing-blob", text, "Run the pipeline again: what is gone is made anew.", { cause });
}
