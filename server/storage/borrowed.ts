/**
 * Large files of the user's, read where they lie: copying gigabytes into the store would take longer than most work on
 * them. A note holds the digest and what tells that the file is the one that was hashed; once it is not, the blob is gone.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** What tells that a file is the one it was: an unchanged one is not read again. */
export const fileStamp = z.object({ size: z.number(), mtimeMs: z.number(), ino: z.number() });
export type FileStamp = z.output<typeof fileStamp>;

const noteSchema = fileStamp.extend({ path: z.string() });
export type BorrowedFile = z.output<typeof noteSchema>;

export class BorrowedFiles {
  readonly #folder: string;

  constructor(home: string) {
    this.#folder = join(home, "borrowed");
  }

  /** `temp`: a fresh path on the store's own file system. */
  async add(digest: string, file: BorrowedFile, temp: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await writeFile(temp, JSON.stringify(noteSchema.parse(file)));
    await rename(temp, this.#note(digest));
  }

  /** The file, as long as it is as it was. */
  async find(digest: string): Promise<BorrowedFile | undefined> {
    try {
      const file = noteSchema.parse(JSON.parse(await readFile(this.#note(digest), "utf8")));
      return isSame(await stat(file.path), file) ? file : undefined;
    } catch {
      return undefined;
    }
  }

  /** Digests of all, changed ones among them. */
  async list(): Promise<readonly string[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names.map((name) => name.slice(0, -".json".length));
  }

  async forget(digest: string): Promise<void> {
    await rm(this.#note(digest), { force: true });
  }

  #note(digest: string): string {
    return join(this.#folder, `${digest}.json`);
  }
}

export function isSame(a: FileStamp, b: FileStamp): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}
