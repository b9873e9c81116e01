/** Results by cache key: `cache/<key>.json`. An entry counts only while every blob it names is in the store. */
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PORT_KINDS } from "../../nodes/ports.ts";
import { readTree } from "./artifacts.ts";
import { type BlobStore, isCode } from "./blobs.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const refSchema = z.strictObject({
  kind: z.enum(PORT_KINDS),
  digest,
  size: z.number().nonnegative(),
  form: z.literal("tree").optional(),
});
const entrySchema = z.strictObject({
  version: z.literal(1),
  outputs: z.record(z.string(), refSchema),
  previews: z.array(z.strictObject({ digest, mime: z.string() })),
  effects: z.enum(["pure", "builds", "infers", "measures", "exports"]),
  ms: z.number(),
  time: z.string(),
  /** Of a step that exports: fingerprints of what it wrote, by name in the exports folder. */
  exported: z.record(z.string(), z.string()).optional(),
});
export type CacheEntry = z.output<typeof entrySchema>;

export class ResultCache {
  readonly #folder: string;

  constructor(private readonly blobs: BlobStore) {
    this.#folder = join(blobs.home, "cache");
  }

  /** A hit marks the entry as used: `clean` removes the longest unused first. */
  async get(key: string): Promise<CacheEntry | undefined> {
    const entry = await this.#read(key);
    if (!entry) return undefined;
    for (const named of await this.blobsOf(entry)) if (!(await this.blobs.has(named))) return undefined;
    const now = new Date();
    await utimes(this.#path(key), now, now).catch(() => {});
    return entry;
  }

  async put(key: string, entry: CacheEntry): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const temp = this.blobs.tempPath();
    await writeFile(temp, JSON.stringify(entry));
    await rename(temp, this.#path(key));
  }

  async remove(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  /** Every readable entry, the most recently used first. */
  async list(): Promise<readonly { readonly key: string; readonly entry: CacheEntry }[]> {
    const found: { key: string; entry: CacheEntry; used: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      if (!name.endsWith(".json")) continue;
      const key = name.slice(0, -".json".length);
      const entry = await this.#read(key);
      if (entry) found.push({ key, entry, used: (await stat(this.#path(key))).mtimeMs });
    }
    return found.sort((a, b) => b.used - a.used);
  }

  /** Digests of all that an entry names, the files of its trees and what a compiler's report points to included. */
  async blobsOf(entry: CacheEntry): Promise<readonly string[]> {
    const digests = entry.previews.map((preview) => preview.digest);
    for (const ref of Object.values(entry.outputs)) {
      digests.push(ref.digest);
      if (entry.effects === "builds" && ref.kind === "report" && (await this.blobs.has(ref.digest))) {
        // A build kit has no port of its own: its files stand in the report.
        const text = new TextDecoder().decode(await this.blobs.read(ref.digest));
        for (const [, digest] of text.matchAll(/"digest":"([0-9a-f]{64})"/g)) if (digest) digests.push(digest);
      }
      if (ref.form !== "tree" || !(await this.blobs.has(ref.digest))) continue;
      const files = await readTree(this.blobs, ref.digest);
      for (const file of Object.values(files ?? {})) digests.push(file.digest);
    }
    return digests;
  }

  async #read(key: string): Promise<CacheEntry | undefined> {
    try {
      return entrySchema.parse(JSON.parse(await readFile(this.#path(key), "utf8")));
    } catch (error) {
      // A damaged entry is no entry: the step runs again and writes it anew.
      if (isCode(error, "ENOENT") || error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
      throw error;
    }
  }

  #path(key: string): string {
    return join(this.#folder, `${key}.json`);
  }
}
