/**
 * Frees disk: results unused for longest go first, then every blob that nothing names any more. Kept whatever the
 * budget: what runs in progress use or made, and what saved pipelines name by digest (uploads).
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { readTree } from "./artifacts.ts";
import type { BlobStore } from "./blobs.ts";
import type { ResultCache } from "./cache.ts";
import { oldestLease } from "./lease.ts";
import type { RunStore } from "./runs.ts";

export interface CleanOptions {
  readonly blobs: BlobStore;
  readonly cache: ResultCache;
  readonly runs: RunStore;
  /** Texts that may name blobs as `sha256:HEX`: the saved pipelines. */
  readonly texts: readonly string[];
  /** Bytes of results that may stay. */
  readonly budget: number;
  /** What is younger stays: an upload is named by a pipeline a moment later only. */
  readonly graceMs: number;
}

export interface Cleaned {
  readonly freedBytes: number;
  readonly keptBytes: number;
}

export async function clean(options: CleanOptions): Promise<Cleaned> {
  const { blobs, cache, budget } = options;
  const { needed, since } = await inUse(options);
  const sizes = await blobSizes(blobs);
  let kept = sum(needed, sizes);
  for (const { key, entry } of await cache.list()) {
    const digests = (await cache.blobsOf(entry)).filter((digest) => !needed.has(digest));
    const more = sum(new Set(digests), sizes);
    const young = Date.parse(entry.time) >= since;
    if (!young && kept + more > budget) await cache.remove(key);
    else {
      kept += more;
      for (const digest of digests) needed.add(digest);
    }
  }
  let freedBytes = 0;
  let keptBytes = 0;
  for (const [digest, { size, time }] of sizes) {
    // A blob may be named only a moment later, by the result it is part of.
    if (needed.has(digest) || time >= since) keptBytes += size;
    else {
      await rm(blobs.path(digest), { force: true });
      freedBytes += size;
    }
  }
  await removeTrees(blobs, since);
  for (const digest of await blobs.borrowed.list()) {
    if (!needed.has(digest) && !(await blobs.borrowed.find(digest))) await blobs.borrowed.forget(digest);
  }
  await removeLeftovers(blobs.home, since);
  return { freedBytes, keptBytes };
}

/** Folders of manifests that are gone, and of borrowed files as they were once. */
async function removeTrees(blobs: BlobStore, since: number): Promise<void> {
  const top = join(blobs.home, "trees");
  for (const name of await readdir(top)) {
    const [digest = "", stamps] = name.split("-");
    const path = join(top, name);
    const stays = stamps === undefined || (await stat(path)).mtimeMs >= since;
    if (!stays || !(await blobs.has(digest))) await rm(path, { recursive: true, force: true });
  }
}

/** Unfinished files of processes that are gone. */
async function removeLeftovers(home: string, since: number): Promise<void> {
  for (const name of await readdir(join(home, "tmp"))) {
    const path = join(home, "tmp", name);
    const info = await stat(path).catch(() => undefined);
    if (info && info.mtimeMs < since) await rm(path, { recursive: true, force: true });
  }
}

/** Total bytes of the stored blobs. */
export async function storedBytes(blobs: BlobStore): Promise<number> {
  const sizes = await blobSizes(blobs);
  return sum(new Set(sizes.keys()), sizes);
}

/** Blobs that must stay, and the time from which all must. */
async function inUse(options: CleanOptions): Promise<{ needed: Set<string>; since: number }> {
  const { blobs, runs, texts, graceMs } = options;
  const needed = new Set<string>();
  let since = Math.min(Date.now() - graceMs, oldestLease(blobs.home));
  const named = [...texts];
  const abandoned = new Set(await runs.abandoned());
  for (const { runId, finishedAt } of await runs.list({}, Number.POSITIVE_INFINITY)) {
    // What a dead process left open is made again when it is taken up.
    if (finishedAt !== undefined || abandoned.has(runId)) continue;
    const request = await runs.request(runId);
    since = Math.min(since, Date.parse(request.time));
    named.push(JSON.stringify(request));
    for (const event of runs.events(runId)) {
      if (event.type !== "step.finished") continue;
      for (const { digest } of [...Object.values(event.outputs), ...event.previews]) await add(blobs, needed, digest);
    }
  }
  for (const text of named) {
    for (const match of text.matchAll(/sha256:([0-9a-f]{64})/g)) await add(blobs, needed, match[1] ?? "");
  }
  return { needed, since };
}

async function add(blobs: BlobStore, needed: Set<string>, digest: string): Promise<void> {
  if (needed.has(digest) || !(await blobs.has(digest))) return;
  needed.add(digest);
  for (const file of Object.values((await readTree(blobs, digest)) ?? {})) needed.add(file.digest);
}

type Sizes = ReadonlyMap<string, { readonly size: number; readonly time: number }>;

async function blobSizes(blobs: BlobStore): Promise<Sizes> {
  const sizes = new Map<string, { size: number; time: number }>();
  const top = join(blobs.home, "blobs");
  for (const prefix of await readdir(top)) {
    for (const name of await readdir(join(top, prefix))) {
      const { size, mtimeMs } = await stat(join(top, prefix, name));
      sizes.set(prefix + name, { size, time: mtimeMs });
    }
  }
  return sizes;
}

function sum(digests: ReadonlySet<string>, sizes: Sizes): number {
  let total = 0;
  for (const digest of digests) total += sizes.get(digest)?.size ?? 0;
  return total;
}
