/** Digests of files that were read before, so that an unchanged one is not read again: one note a file or folder. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { BlobStore } from "./blobs.ts";
import { type FileStamp, fileStamp, isSame } from "./borrowed.ts";

const noteSchema = z.record(z.string(), fileStamp.extend({ digest: z.string() }));

export class Notes {
  #changed = false;

  private constructor(
    private readonly blobs: BlobStore,
    private readonly path: string,
    private readonly seen: Map<string, FileStamp & { readonly digest: string }>,
  ) {}

  static async open(blobs: BlobStore, top: string): Promise<Notes> {
    const path = join(blobs.home, "ingest", `${createHash("sha256").update(top).digest("hex")}.json`);
    try {
      const known = noteSchema.parse(JSON.parse(await readFile(path, "utf8")));
      return new Notes(blobs, path, new Map(Object.entries(known)));
    } catch {
      return new Notes(blobs, path, new Map());
    }
  }

  /** The digest, where the file is as it was. */
  get(file: string, stamp: FileStamp): string | undefined {
    const seen = this.seen.get(file);
    return seen && isSame(seen, stamp) ? seen.digest : undefined;
  }

  set(file: string, { size, mtimeMs, ino }: FileStamp, digest: string): void {
    this.seen.set(file, { size, mtimeMs, ino, digest });
    this.#changed = true;
  }

  async save(): Promise<void> {
    if (!this.#changed) return;
    await mkdir(dirname(this.path), { recursive: true });
    const temp = this.blobs.tempPath();
    await writeFile(temp, JSON.stringify(Object.fromEntries(this.seen)));
    await rename(temp, this.path);
  }
}
