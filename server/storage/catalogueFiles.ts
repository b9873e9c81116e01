/**
 * The catalogue's files in a workspace: `.edgewright/catalogue/FILE`, downloaded when first asked for or put there by hand,
 * and the same ever after. Where the catalogue states no digest, that of the first file seen is pinned (`pins.json`).
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { OperationalError, UserError } from "../../nodes/context.ts";
import { exists } from "./blobs.ts";
import type { CatalogueEntry } from "./catalogue.ts";
import { type DownloadOptions, download } from "./download.ts";

const pinsSchema = z.record(z.string(), z.strictObject({ sha256: z.string(), time: z.string() }));
type Pins = z.output<typeof pinsSchema>;

export interface CatalogueFilesOptions {
  /** The workspace's state folder. */
  readonly home: string;
  readonly entries: readonly CatalogueEntry[];
  readonly allowed?: DownloadOptions["allowed"];
}

export class CatalogueFiles {
  /** One download of a file at a time. */
  readonly #busy = new Map<string, Promise<void>>();
  /** Pins are read, changed and written one after another. */
  #holding: Promise<void> = Promise.resolve();

  constructor(private readonly options: CatalogueFilesOptions) {}

  get entries(): readonly CatalogueEntry[] {
    return this.options.entries;
  }

  entry(id: string): CatalogueEntry | undefined {
    return this.entries.find((entry) => entry.id === id);
  }

  /** Stated by the catalogue, or pinned here. */
  async digest(entry: CatalogueEntry): Promise<string | undefined> {
    return entry.sha256 ?? (await this.#pins())[entry.id]?.sha256;
  }

  /** Path of the file, downloaded where it is not there yet; its digest is yet to be held to. */
  async path(entry: CatalogueEntry, options: DownloadOptions): Promise<string> {
    const path = join(this.#folder, entry.file);
    const before = this.#busy.get(path) ?? Promise.resolve();
    const work = before.then(async () => {
      if (!(await exists(path))) await this.#download(entry, path, options);
    });
    this.#busy.set(
      path,
      work.catch(() => undefined),
    );
    await work;
    return path;
  }

  /** Throws where the file is not the one stated or pinned; pins it where it is the first. */
  hold(entry: CatalogueEntry, sha256: string): Promise<void> {
    const work = this.#holding.then(() => this.#hold(entry, sha256));
    this.#holding = work.catch(() => undefined);
    return work;
  }

  async #hold(entry: CatalogueEntry, sha256: string): Promise<void> {
    const pins = await this.#pins();
    const pinned = pins[entry.id];
    const wanted = entry.sha256 ?? pinned?.sha256;
    if (sha256 === wanted) return;
    if (wanted === undefined) {
      await this.#savePins({ ...pins, [entry.id]: { sha256, time: new Date().toISOString() } });
      return;
    }
    const path = join(this.#folder, entry.file);
    const whose = pinned && !entry.sha256 ? `that it had on ${pinned.time.slice(0, 10)}` : "of the catalogue";
    throw new UserError(
      "wrong-sha256",
      `${path} has the SHA-256 ${sha256}, not the ${wanted} ${whose}`,
      pinned && !entry.sha256
        ? `Delete it to download it again; if you trust the new file, delete "${entry.id}" from ${this.#pinsPath}.`
        : "Delete it and run again to download it; a file of your own is named by its path.",
    );
  }

  get #folder(): string {
    return join(this.options.home, "catalogue");
  }

  get #pinsPath(): string {
    return join(this.#folder, "pins.json");
  }

  async #download(entry: CatalogueEntry, path: string, options: DownloadOptions): Promise<void> {
    const sha256 = await this.digest(entry);
    const { allowed } = this.options;
    const failures: OperationalError[] = [];
    for (const url of entry.urls) {
      try {
        return await download(url, path, { ...options, ...(sha256 && { sha256 }), ...(allowed && { allowed }) });
      } catch (error) {
        // The next address may still have it; a wrong file it must not make good for.
        if (!(error instanceof OperationalError)) throw error;
        failures.push(error);
      }
    }
    const message = `${entry.title} is not in this workspace, and ${failures.map((error) => error.message).join("; ")}`;
    const digest = sha256 ? ` (SHA-256 ${sha256})` : "";
    const fix = `Get ${entry.urls[0]} where there is a network and put it at ${path}${digest}. Behind a proxy set HTTPS_PROXY.`;
    throw new OperationalError(failures[0]?.code ?? "offline", message, fix, { cause: failures[0] });
  }

  async #pins(): Promise<Pins> {
    const text = await readFile(this.#pinsPath, "utf8").catch(() => "{}");
    return pinsSchema.parse(JSON.parse(text));
  }

  async #savePins(pins: Pins): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const temp = `${this.#pinsPath}.${process.pid}`;
    await writeFile(temp, `${JSON.stringify(pins, undefined, 2)}\n`);
    await rename(temp, this.#pinsPath);
  }
}
