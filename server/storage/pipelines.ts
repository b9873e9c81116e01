/**
 * Saved pipelines: `pipelines/NAME.json` below the workspace root, plain files that git keeps. A revision is the SHA-256
 * of a file's bytes; a save names the revision it began from and is refused where another one is there now.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../nodes/context.ts";
import type { Diagnostic } from "../../nodes/define.ts";
import { type PipelineDoc, serializeDoc } from "../../pipelines/document/doc.ts";
import type { NodeDefs } from "../../pipelines/document/graph.ts";
import { migrateDoc } from "../../pipelines/document/migrations.ts";
import { isCode } from "./blobs.ts";

export interface PipelineSummary {
  readonly name: string;
  readonly revision: string;
  /** ISO time. */
  readonly updatedAt: string;
  readonly nodes: number;
}

const NAME = /^[a-z0-9-]{1,100}$/;

export class PipelineStore {
  readonly #folder: string;

  constructor(
    root: string,
    private readonly defs: NodeDefs,
  ) {
    this.#folder = join(root, "pipelines");
  }

  /** By name. A file that cannot be read as a pipeline is listed with no nodes: opening it says why. */
  async list(): Promise<PipelineSummary[]> {
    const found: PipelineSummary[] = [];
    for (const name of await this.names()) {
      const text = await this.#text(name);
      if (text === undefined) continue;
      const migrated = this.#migrate(text);
      const nodes = "doc" in migrated ? Object.keys(migrated.doc.nodes).length : 0;
      const { mtime } = await stat(this.#path(name));
      found.push({ name, revision: revisionOf(text), updatedAt: mtime.toISOString(), nodes });
    }
    return found;
  }

  async names(): Promise<string[]> {
    const files = await readdir(this.#folder).catch((error: unknown) => {
      if (isCode(error, "ENOENT")) return [];
      throw error;
    });
    return files
      .filter((file) => file.endsWith(".json"))
      .map((file) => file.slice(0, -".json".length))
      .filter((name) => NAME.test(name))
      .sort();
  }

  /** Migrated to this version; its revision is that of the file as it lies. */
  async get(name: string): Promise<{ readonly doc: PipelineDoc; readonly revision: string }> {
    const text = await this.#text(name);
    if (text === undefined) throw unknownPipeline(name);
    const migrated = this.#migrate(text);
    if ("doc" in migrated) return { doc: migrated.doc, revision: revisionOf(text) };
    throw unreadable(name, migrated.diagnostics);
  }

  /** The document takes the name it is saved under. `base`: the revision the edit began from; null for a new pipeline. Throws `conflict` where another one is there. */
  async save(name: string, doc: PipelineDoc, base: string | null): Promise<{ readonly revision: string }> {
    const current = await this.#text(name);
    const revision = current === undefined ? null : revisionOf(current);
    if (revision !== base) {
      const message =
        revision === null ? `${name} was removed meanwhile` : `${name} was changed by somebody else meanwhile`;
      throw new UserError("conflict", message, "Load the saved version, or save yours under another name.");
    }
    const canonical = migrateDoc(this.defs, { ...doc, name });
    if ("diagnostics" in canonical) throw unreadable(name, canonical.diagnostics);
    const text = serializeDoc(canonical.doc);
    await mkdir(this.#folder, { recursive: true });
    const temp = join(this.#folder, `.${randomBytes(6).toString("hex")}`);
    await writeFile(temp, text);
    await rename(temp, this.#path(name));
    return { revision: revisionOf(text) };
  }

  async rename(from: string, to: string): Promise<{ readonly revision: string }> {
    const { doc } = await this.get(from);
    if ((await this.#text(to)) !== undefined) {
      throw new UserError("exists", `there is a pipeline "${to}" already`, "Choose another name.");
    }
    const saved = await this.save(to, doc, null);
    await rm(this.#path(from));
    return saved;
  }

  async remove(name: string): Promise<void> {
    if ((await this.#text(name)) === undefined) throw unknownPipeline(name);
    await rm(this.#path(name));
  }

  /** The files as they lie. */
  async texts(): Promise<string[]> {
    const texts = await Promise.all((await this.names()).map((name) => this.#text(name)));
    return texts.filter((text) => text !== undefined);
  }

  async #text(name: string): Promise<string | undefined> {
    try {
      return await readFile(this.#path(name), "utf8");
    } catch (error) {
      if (isCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  #migrate(text: string): ReturnType<typeof migrateDoc> {
    try {
      return migrateDoc(this.defs, JSON.parse(text));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const message = `this is no JSON: ${error.message}`;
      return { diagnostics: [{ code: "bad-json", severity: "error", message, fix: "Correct the file." }] };
    }
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

function unreadable(name: string, [first]: readonly Diagnostic[]): UserError {
  return new UserError(first?.code ?? "bad-document", `${name}.json: ${first?.message}`, first?.fix);
}

function unknownPipeline(name: string): UserError {
  return new UserError("unknown-pipeline", `there is no pipeline "${name}"`, "The list of pipelines has the names.");
}
