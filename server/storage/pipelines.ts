/**
 * Saved pipelines: `pipelines/NAME.json` below the workspace root, plain files that git keeps. A revision is the SHA-256
 * of a file's bytes; a save names the revision it began from and is refused where another one is there now.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../nodes/context.ts";
import { type PipelineDoc, serializeDoc } from "../../pipelines/document/doc.ts";
import { isCode } from "./blobs.ts";

export interface SavedPipeline {
  readonly name: string;
  readonly revision: string;
  /** The file's text, canonical or not: an old or damaged one is still readable. */
  readonly text: string;
}

export type SaveResult =
  | { readonly saved: true; readonly revision: string }
  /** Somebody else saved meanwhile; `current` is theirs (undefined where they removed it). Nothing was written. */
  | { readonly saved: false; readonly current: SavedPipeline | undefined };

const NAME = /^[a-z0-9-]{1,100}$/;

export class PipelineStore {
  readonly #folder: string;

  constructor(root: string) {
    this.#folder = join(root, "pipelines");
  }

  /** By name. */
  async list(): Promise<readonly { readonly name: string; readonly revision: string }[]> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (isCode(error, "ENOENT")) return [];
      throw error;
    });
    const found: { name: string; revision: string }[] = [];
    for (const file of names.sort()) {
      const name = file.slice(0, -".json".length);
      if (!file.endsWith(".json") || !NAME.test(name)) continue;
      const saved = await this.get(name);
      if (saved) found.push({ name, revision: saved.revision });
    }
    return found;
  }

  async get(name: string): Promise<SavedPipeline | undefined> {
    try {
      const text = await readFile(this.#path(name), "utf8");
      return { name, revision: revisionOf(text), text };
    } catch (error) {
      if (isCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  /** `base`: the revision the edit began from; undefined for a new pipeline, which must not exist yet. */
  async save(name: string, doc: PipelineDoc, base: string | undefined): Promise<SaveResult> {
    const current = await this.get(name);
    if (current?.revision !== base) return { saved: false, current };
    const text = serializeDoc(doc);
    await mkdir(this.#folder, { recursive: true });
    const temp = join(this.#folder, `.${randomBytes(6).toString("hex")}`);
    await writeFile(temp, text);
    await rename(temp, this.#path(name));
    return { saved: true, revision: revisionOf(text) };
  }

  async rename(from: string, to: string): Promise<void> {
    const saved = await this.get(from);
    if (!saved) throw unknownPipeline(from);
    if (await this.get(to)) {
      throw new UserError("name-taken", `there is a pipeline "${to}" already`, "Choose another name.");
    }
    await rename(this.#path(from), this.#path(to));
  }

  async remove(name: string): Promise<void> {
    if (!(await this.get(name))) throw unknownPipeline(name);
    await rm(this.#path(name));
  }

  #path(name: string): string {
    if (!NAME.test(name)) {
      const fix = "Use lower-case letters, digits and dashes.";
      throw new UserError("bad-name", `"${name}" cannot name a pipeline`, fix);
    }
    return join(this.#folder, `${name}.json`);
  }
}

function revisionOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function unknownPipeline(name: string): UserError {
  return new UserError(
    "unknown-pipeline",
    `there is no pipeline "${name}"`,
    "List the pipelines: they are named there.",
  );
}
