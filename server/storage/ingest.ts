/**
 * What a `source` parameter names, as stored files: a path under the workspace root, `builtin:NAME` of what the
 * project ships, `sha256:HEX` or `sha256:HEX#NAME` of the store, an https address with its SHA-256, a name of the model
 * catalogue. Nothing above the root and no link out of it is read: documents come from strangers. What the person at a terminal names may lie anywhere
 * (`ingestPath`) and enters the store before the run.
 */
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import { type KnownModel, type SourceFile, UserError } from "../../nodes/context.ts";
import { own } from "../../pipelines/document/own.ts";
import { putTree, readTree } from "./artifacts.ts";
import { type BlobStore, BORROW_FROM, fileChunks, hashed, isCode, type Stored } from "./blobs.ts";
import { type FileStamp, isSame } from "./borrowed.ts";
import type { CatalogueEntry } from "./catalogue.ts";
import type { CatalogueFiles } from "./catalogueFiles.ts";
import { type DownloadOptions, download, refuseUnencrypted } from "./download.ts";
import { knownFromEntry, knownFromShipped } from "./knownModels.ts";
import { Notes } from "./notes.ts";
import { type IngestProgress, throttled } from "./progress.ts";
import { shippedFiles } from "./shipped.ts";

export interface IngestOptions {
  /** The workspace root: the jail of relative paths. */
  readonly root: string;
  /** Folder of the files the project ships, by name. */
  readonly builtins: string;
  readonly blobs: BlobStore;
  readonly catalogue?: CatalogueFiles;
  /** Which addresses may be read; https alone where absent. */
  readonly allowed?: DownloadOptions["allowed"];
}

export interface SourceContext {
  /** What the parameter names: the catalogue has a `model` (ONNX) or a `file` (weights to export). */
  readonly kind?: string;
  /** Of the `sha256` parameter beside the source: an address needs it, a file is held to it. */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
  /** At most ten times a second. */
  readonly progress?: (progress: IngestProgress) => void;
}

type ReadFiles = () => Promise<readonly SourceFile[]>;

const MAX_FILES = 100_000;
const STORED = /^sha256:([0-9a-f]{64})(?:#(.{1,255}))?$/;
const WORKERS = 8;
/** From here on reading one file shows its progress. */
const LARGE_BYTES = 64 * 2 ** 20;

export class Ingest {
  constructor(private readonly options: IngestOptions) {}

  /** The files a source names; none for an empty string. Throws UserError with what to do. */
  async resolve(source: string, context: SourceContext = {}): Promise<readonly SourceFile[]> {
    if (source === "") return [];
    const files = await (await this.#find(source, context))();
    const { sha256 } = context;
    if (sha256 && files.length === 1 && files[0]?.digest !== sha256) {
      const message = `${source} has the SHA-256 ${files[0]?.digest}, not ${sha256}`;
      throw new UserError("wrong-sha256", message, "Correct the sha256 parameter, or get the file it names.");
    }
    const [only, ...more] = files;
    const known = only && more.length === 0 ? await this.#known(source, only.digest, context.kind) : undefined;
    return only && known ? [{ ...only, known }] : files;
  }

  /** What the project knows of a model: by the name it ships or catalogues it under, else by its digest. */
  async #known(source: string, digest: string, kind: string | undefined): Promise<KnownModel | undefined> {
    if (kind !== "model") return undefined;
    if (source.startsWith("builtin:")) return knownFromShipped(this.options.builtins, source.slice("builtin:".length));
    const byDigest = this.options.catalogue?.entries.find(({ sha256 }) => sha256 === digest);
    const entry = this.catalogued(source, kind) ?? byDigest;
    return entry && knownFromEntry(entry);
  }

  /** Throws what `resolve` would say of a source that names nothing, without reading or downloading any file. */
  async verify(source: string, context: SourceContext = {}): Promise<void> {
    if (source === "") return;
    await this.#find(source, context);
  }

  /** Takes a file or folder from anywhere into the store: the source string that names it from now on. */
  async ingestPath(path: string, context: SourceContext = {}): Promise<string> {
    const files = await this.#files(path, await realpathOrRefuse(path, path), context);
    const info = await stat(path);
    const name = basename(resolve(path));
    const [only] = files;
    if (!info.isDirectory()) return `sha256:${only?.digest}#${name}`;
    const tree = Object.fromEntries(files.map((file) => [file.name, { digest: file.digest, size: file.size }]));
    return `sha256:${(await putTree(this.options.blobs, tree)).digest}#${name}`;
  }

  /** Checks that the source names something; the files are read when asked for. */
  async #find(source: string, context: SourceContext): Promise<ReadFiles> {
    const stored = STORED.exec(source);
    if (stored) return this.#stored(stored[1] ?? "", stored[2]);
    if (source.startsWith("builtin:")) return this.#builtin(source.slice("builtin:".length), context);
    if (/^https?:\/\//.test(source)) return this.#address(source, context);
    if (/^[a-z0-9]+:/.test(source)) {
      throw new UserError("bad-source", `"${source}" is no source`, "Give a path, builtin:NAME or sha256:HEX.");
    }
    const entry = this.catalogued(source, context.kind);
    return entry ? this.#catalogued(entry, context) : this.#path(source, context);
  }

  /** The catalogue's entry that a source of this kind names; `./NAME` is a file of that name. */
  catalogued(source: string, kind: string | undefined): CatalogueEntry | undefined {
    return kind === "model" || kind === "file" ? this.options.catalogue?.entry(source) : undefined;
  }

  /** The names that a missing file may have been meant for. */
  #alsoNamed(kind: string | undefined): string {
    if (kind !== "model" || !this.options.catalogue) return "";
    const names = this.options.catalogue.entries.filter(({ format }) => format === "onnx").map(({ id }) => id);
    return names.length > 0 ? ` The catalogue has ${names.join(", ")}.` : "";
  }

  #catalogued(entry: CatalogueEntry, context: SourceContext): ReadFiles {
    if (context.kind === "model" && entry.format === "pytorch") {
      throw new UserError(
        "needs-export",
        `${entry.title} is published as PyTorch weights, which are no model that this node opens`,
        `Use an export-pytorch node with weights = ${entry.id}.`,
      );
    }
    return async () => {
      const { blobs, catalogue } = this.options;
      if (!catalogue) return [];
      const digest = await catalogue.digest(entry);
      if (digest !== undefined && (await blobs.has(digest))) {
        return [{ name: entry.file, digest, size: (await blobs.locate(digest)).size }];
      }
      const files = await this.#files(entry.file, await catalogue.path(entry, transfer(context)), context);
      await catalogue.hold(entry, files[0]?.digest ?? "");
      return files;
    };
  }

  async #stored(digest: string, name: string | undefined): Promise<ReadFiles> {
    const { blobs } = this.options;
    if (!(await blobs.has(digest))) {
      const message = `the file ${name ?? digest.slice(0, 12)} is not in this workspace`;
      throw new UserError("missing-source", message, "Upload it again, or give its path.");
    }
    return async () => {
      const tree = await readTree(blobs, digest);
      if (tree) return sorted(Object.entries(tree).map(([file, stored]) => ({ ...stored, name: file })));
      return [{ name: name ?? digest.slice(0, 12), digest, size: (await blobs.locate(digest)).size }];
    };
  }

  async #builtin(name: string, context: SourceContext): Promise<ReadFiles> {
    const { builtins } = this.options;
    const shipped = await shippedFiles(builtins);
    const entry = own(shipped, name);
    if (!entry) {
      const names = Object.keys(shipped);
      const has = names.length > 0 ? `It ships ${names.join(", ")}.` : "It ships none.";
      throw new UserError("unknown-builtin", `this version ships no "${name}"`, `${has} Give the path of a file.`);
    }
    const path = join(builtins, entry);
    return async () => this.#files(path, await realpath(path), context);
  }

  #address(source: string, context: SourceContext): ReadFiles {
    const { sha256 } = context;
    const { allowed } = this.options;
    refuseUnencrypted(source, allowed);
    if (!sha256) {
      const message = `the address ${source} needs the SHA-256 of its file`;
      throw new UserError(
        "missing-sha256",
        message,
        "Set the sha256 parameter: it makes the download the same always.",
      );
    }
    return async () => {
      const { blobs } = this.options;
      const name = basename(new URL(source).pathname) || "download";
      if (await blobs.has(sha256)) return [{ name, digest: sha256, size: (await blobs.locate(sha256)).size }];
      // Named by its digest, so that the next run continues what this one did not finish.
      const path = join(blobs.home, "tmp", sha256);
      await download(source, path, { ...transfer(context), sha256, ...(allowed && { allowed }) });
      return [{ name, ...(await blobs.moveIn(path)) }];
    };
  }

  async #path(source: string, context: SourceContext): Promise<ReadFiles> {
    const { root } = this.options;
    const jail = await realpath(root);
    const path = resolve(root, source);
    const outside = () =>
      new UserError(
        "outside-workspace",
        `"${source}" leaves the workspace`,
        `Move the file below ${root}, or upload it.`,
      );
    if (source.startsWith("/") || !within(resolve(root), path)) throw outside();
    const real = await realpathOrRefuse(path, source, this.#alsoNamed(context.kind));
    if (!within(jail, real)) throw outside();
    return () => this.#files(source, real, context, jail);
  }

  /** A file, or all files below a folder. Links below it are followed only where a jail allows their target. */
  async #files(shown: string, real: string, context: SourceContext, jail?: string): Promise<readonly SourceFile[]> {
    const info = await stat(real);
    if (info.isFile()) {
      const notes = await Notes.open(this.options.blobs, real);
      const stored = await this.#store(real, notes, context);
      await notes.save();
      return [{ name: basename(shown), ...stored }];
    }
    if (!info.isDirectory()) throw new UserError("bad-source", `"${shown}" is neither a file nor a folder`);
    const names = await walk(real, real, jail ?? real);
    if (names.length > MAX_FILES) {
      throw new UserError("too-many-files", `"${shown}" holds more than ${MAX_FILES} files`, "Give a smaller folder.");
    }
    const notes = await Notes.open(this.options.blobs, real);
    const files: SourceFile[] = [];
    const left = names.values();
    const say = throttled(context.progress);
    // Few at once: each waits for the disk to have the bytes for good.
    const worker = async () => {
      for (const name of left) {
        context.signal?.throwIfAborted();
        files.push({ name, ...(await this.#store(join(real, name), notes, context)) });
        say({ done: files.length, total: names.length, unit: "files", message: `reading ${basename(shown)}` });
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, worker));
    await notes.save();
    return sorted(files);
  }

  /** Takes a file into the store, unless it is the one (by size, time and inode) that was hashed before. */
  async #store(path: string, notes: Notes, context: SourceContext): Promise<Stored> {
    const { blobs } = this.options;
    const info = await stat(path);
    const seen = notes.get(path, info);
    if (seen !== undefined && (await blobs.has(seen))) return { digest: seen, size: info.size };
    const stored = await this.#take(path, info, context);
    // A file that changed while it was read is stored as read, but not remembered.
    if (isSame(await stat(path), info) && stored.size === info.size) notes.set(path, info, stored.digest);
    return stored;
  }

  /** A large file stays where it is. */
  async #take(path: string, info: FileStamp, context: SourceContext): Promise<Stored> {
    const { blobs } = this.options;
    const chunks = () => reading(path, info.size, context);
    if (info.size < BORROW_FROM) return blobs.putStream(chunks());
    const { digest } = await hashed(chunks());
    return isSame(await stat(path), info) ? blobs.borrow(path, digest, info) : blobs.putStream(chunks());
  }
}

function transfer({ signal, progress }: SourceContext): DownloadOptions {
  return { ...(signal && { signal }), ...(progress && { progress }) };
}

async function* reading(path: string, size: number, { signal, progress }: SourceContext): AsyncIterable<Uint8Array> {
  const say = throttled(size > LARGE_BYTES ? progress : undefined);
  let done = 0;
  for await (const chunk of fileChunks(path, signal)) {
    yield chunk;
    done += chunk.length;
    say({ done, total: size, unit: "bytes", message: `reading ${basename(path)}` });
  }
}

async function walk(folder: string, top: string, jail: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    const name = relative(top, path).split(sep).join("/");
    if (entry.isDirectory()) names.push(...(await walk(path, top, jail)));
    else if (entry.isFile()) names.push(name);
    else if (entry.isSymbolicLink()) {
      const target = await realpath(path).catch(() => undefined);
      if (target === undefined || !within(jail, target)) {
        throw new UserError(
          "outside-workspace",
          `"${name}" is a link that leaves its folder`,
          "Copy the file instead.",
        );
      }
      if ((await stat(target)).isFile()) names.push(name);
    }
  }
  return names;
}

async function realpathOrRefuse(path: string, shown: string, hint = ""): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (!isCode(cause, "ENOENT") && !isCode(cause, "ENOTDIR")) throw cause;
    const fix = `Put it at ${resolve(path)}, or give another.${hint}`;
    throw new UserError("missing-source", `there is no file "${shown}"`, fix, { cause });
  }
}

function within(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function sorted(files: readonly SourceFile[]): readonly SourceFile[] {
  return [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
}
