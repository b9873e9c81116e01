/**
 * Immutable bytes named by their SHA-256, as files `blobs/ab/cdef...`. A blob is written beside its place, flushed and
 * renamed, so a crash leaves either the whole blob or none. Files are made read-only: native code opens them in place.
 * A large file of the user's may be a blob where it lies (borrowed.ts), until it changes.
 */
import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import {
  access,
  chmod,
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { OperationalError } from "../../nodes/context.ts";
import { BorrowedFiles, type FileStamp } from "./borrowed.ts";

export interface Stored {
  readonly digest: string;
  readonly size: number;
}
export type TreeFiles = Readonly<Record<string, Stored>>;

const DIGEST = /^[0-9a-f]{64}$/;
/** Large enough that a disk is read at its speed. */
const CHUNK_BYTES = 4 * 2 ** 20;
/** Files from this size on are read where they lie. */
export const BORROW_FROM = 64 * 2 ** 20;

export class BlobStore {
  readonly borrowed: BorrowedFiles;

  constructor(readonly home: string) {
    this.borrowed = new BorrowedFiles(home);
  }

  /** Where a blob of the store's own lies, present or not. Throws on what is no digest, so nothing else becomes a path. */
  path(digest: string): string {
    if (!DIGEST.test(digest)) throw new OperationalError("bad-digest", `"${digest}" is not a SHA-256`);
    return join(this.home, "blobs", digest.slice(0, 2), digest.slice(2));
  }

  /** Where a blob's bytes are and how many; throws `missing-blob` where it is not in the store. */
  async locate(digest: string): Promise<{ readonly path: string; readonly size: number }> {
    const path = this.path(digest);
    try {
      return { path, size: (await stat(path)).size };
    } catch (cause) {
      const borrowed = await this.borrowed.find(digest);
      if (borrowed) return borrowed;
      throw missing(digest, cause);
    }
  }

  async has(digest: string): Promise<boolean> {
    return (await exists(this.path(digest))) || (await this.borrowed.find(digest)) !== undefined;
  }

  async read(digest: string): Promise<Uint8Array> {
    return readFile((await this.locate(digest)).path);
  }

  /** Makes a file the blob of its digest without copying it. */
  async borrow(path: string, digest: string, { size, mtimeMs, ino }: FileStamp): Promise<Stored> {
    await this.borrowed.add(digest, { path, size, mtimeMs, ino }, this.tempPath());
    return { digest, size };
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
        const written = writeAll(file, chunk);
        hash.update(chunk);
        size += chunk.byteLength;
        await written;
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
    const { digest, size } = await hashed(fileChunks(path));
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
    const folder = join(this.home, "trees", await this.#treeName(manifest, files));
    if (await exists(folder)) return folder;
    const temp = this.tempPath();
    for (const [name, { digest }] of Object.entries(files)) {
      const at = join(temp, checkedName(name));
      await mkdir(dirname(at), { recursive: true });
      const { path } = await this.locate(digest);
      await link(path, at).catch(() => copyFile(path, at, constants.COPYFILE_FICLONE));
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

  /** A link to a borrowed file shows what becomes of it: the folder is good for the file as it is, and no other. */
  async #treeName(manifest: string, files: TreeFiles): Promise<string> {
    const stamps: FileStamp[] = [];
    for (const { digest, size } of Object.values(files)) {
      if (size < BORROW_FROM || (await exists(this.path(digest)))) continue;
      const { path } = await this.locate(digest);
      const { mtimeMs, ino } = await stat(path);
      stamps.push({ size, mtimeMs, ino });
    }
    if (stamps.length === 0) return manifest;
    return `${manifest}-${createHash("sha256").update(JSON.stringify(stamps)).digest("hex").slice(0, 16)}`;
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

/** In as few calls as the system allows; `writeFile` takes half a megabyte at a time. */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, at, Math.min(bytes.byteLength - at, 2 ** 30));
    at += bytesWritten;
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

/** Digest and length of a stream, of which nothing is kept. */
export async function hashed(chunks: AsyncIterable<Uint8Array>): Promise<Stored> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { digest: hash.digest("hex"), size };
}

/** A file piece by piece, each good until the next is asked for; that one is read meanwhile. */
export async function* fileChunks(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  await using file = await open(path);
  const { size } = await file.stat();
  // One byte more than a small file has, so that its end shows without another buffer.
  const length = Math.min(CHUNK_BYTES, size + 1);
  let [idle, busy] = [Buffer.allocUnsafeSlow(length), Buffer.allocUnsafeSlow(size > CHUNK_BYTES ? length : 1)];
  let next = file.read(idle, 0, length);
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead, buffer } = await next;
    if (bytesRead === 0) return;
    [idle, busy] = [busy, idle];
    next = file.read(idle, 0, idle.length);
    // Its failure is told when it is waited for.
    next.catch(() => {});
    yield buffer.subarray(0, bytesRead);
  }
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
