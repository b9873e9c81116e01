/** What each node of a pipeline last depended on, `last/<pipeline>.json`: only words come from it, never a result. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import type { BlobStore } from "./blobs.ts";

export class LastResults<T> {
  constructor(
    private readonly blobs: BlobStore,
    private readonly schema: z.ZodType<T>,
  ) {}

  /** By node id; empty where nothing (readable) is known. */
  async read(pipeline: string): Promise<Map<string, T>> {
    const known = new Map<string, T>();
    try {
      const raw: unknown = JSON.parse(await readFile(this.#path(pipeline), "utf8"));
      for (const [node, value] of Object.entries(raw ?? {})) {
        const parsed = this.schema.safeParse(value);
        if (parsed.success) known.set(node, parsed.data);
      }
    } catch {
      return known;
    }
    return known;
  }

  async write(pipeline: string, last: ReadonlyMap<string, T>): Promise<void> {
    await mkdir(join(this.blobs.home, "last"), { recursive: true });
    const temp = this.blobs.tempPath();
    await writeFile(temp, JSON.stringify(Object.fromEntries(last)));
    await rename(temp, this.#path(pipeline));
  }

  /** `pipeline` is a document's name: lower-case letters, digits, dashes. */
  #path(pipeline: string): string {
    return join(this.blobs.home, "last", `${pipeline.replace(/[^a-z0-9-]/g, "-")}.json`);
  }
}
