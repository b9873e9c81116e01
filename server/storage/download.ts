/**
 * A file from an https address, into a file of its own: bounded, behind the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY
 * name, continued where a connection broke (HTTP Range, RFC 9110 section 14), held to its SHA-256 before it gets its name.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OperationalError, UserError } from "../../nodes/context.ts";
import { httpGet } from "./httpGet.ts";
import { type IngestProgress, throttled } from "./progress.ts";

const LIMIT_BYTES = 20 * 2 ** 30;
const TRIES = 4;
const PAUSE_MS = 500;

export interface DownloadOptions {
  /** Expected digest; without it whatever comes is kept. */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: IngestProgress) => void;
  /** Which addresses may be read, redirects included; https alone where absent. */
  readonly allowed?: (url: URL) => boolean;
}

/** What is left of a broken download, beside the file; the tag tells whether the server still has the same one. */
const partOf = (path: string) => ({ part: `${path}.part`, tag: `${path}.part.tag` });

/**
 * Writes `path`, whole or not at all. Throws OperationalError `offline` or `download-failed`, which keep what came for the
 * next try, and UserError `wrong-sha256`, which does not.
 */
export async function download(address: string, path: string, options: DownloadOptions): Promise<void> {
  const { part, tag } = partOf(path);
  await mkdir(dirname(path), { recursive: true });
  for (let left = TRIES; ; left--) {
    try {
      await attempt(address, path, options);
      break;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof Interrupted)) throw error;
      if (left <= 1) throw interrupted(address, error.cause);
      const pause = sleep(PAUSE_MS * (TRIES - left + 1), undefined, { signal: options.signal });
      await pause.catch(() => options.signal?.throwIfAborted());
    }
  }
  const digest = await hashOf(part);
  if (options.sha256 !== undefined && digest !== options.sha256) {
    await rm(part, { force: true });
    await rm(tag, { force: true });
    const message = `${address} gave a file with the SHA-256 ${digest}, not ${options.sha256}`;
    throw new UserError(
      "wrong-sha256",
      message,
      "It was not kept. Try again; if it stays so, the publisher has changed the file.",
    );
  }
  await rename(part, path);
  await rm(tag, { force: true });
}

/** The connection broke: what came is in the part file. */
class Interrupted extends Error {}

async function attempt(address: string, path: string, options: DownloadOptions): Promise<void> {
  const { part, tag } = partOf(path);
  const validator = await readFile(tag, "utf8").catch(() => "");
  const have = await sizeOf(part);
  // Without a tag only a known digest can tell whether old and new bytes are of one file.
  const resumes = have > 0 && (validator !== "" || options.sha256 !== undefined);
  const headers = {
    // As stored: a length that counts packed bytes could not be continued.
    "accept-encoding": "identity",
    ...(resumes && { range: `bytes=${have}-`, ...(validator !== "" && { "if-range": validator }) }),
  };
  const response = await request(address, headers, options);
  const status = response.statusCode ?? 0;
  if (status === 416) {
    response.destroy();
    // Nothing follows what is there: it is whole, or of another file. The digest, or the next try, tells.
    if (options.sha256 !== undefined && (await hashOf(part)) === options.sha256) return;
    await rm(part, { force: true });
    await rm(tag, { force: true });
    throw new Interrupted("the server has no more", { cause: new Error("the server has no such range") });
  }
  if (status !== 200 && status !== 206) {
    response.destroy();
    throw new OperationalError("download-failed", `${address} answers ${status}`, "Check the address.");
  }
  const start = continues(response, have) ? have : 0;
  const { etag = "" } = response.headers;
  await writeFile(tag, etag.startsWith("W/") ? "" : etag);
  await append(response, part, { ...options, start, address });
}

function continues({ statusCode, headers }: IncomingMessage, have: number): boolean {
  return statusCode === 206 && headers["content-range"]?.startsWith(`bytes ${have}-`) === true;
}

interface AppendOptions extends DownloadOptions {
  readonly start: number;
  readonly address: string;
}

async function append(
  response: IncomingMessage,
  part: string,
  { start, address, progress }: AppendOptions,
): Promise<void> {
  const length = Number(response.headers["content-length"]) || undefined;
  const total = length === undefined ? undefined : start + length;
  if ((total ?? 0) > LIMIT_BYTES) throw tooLarge(address);
  const say = throttled(progress);
  const file = await open(part, start > 0 ? "a" : "w");
  let done = start;
  try {
    for await (const chunk of broken(response)) {
      done += chunk.byteLength;
      if (done > LIMIT_BYTES) throw tooLarge(address);
      await file.writeFile(chunk);
      say({ done, ...(total !== undefined && { total }), unit: "bytes", message: "downloading" });
    }
    if (total !== undefined && done < total) throw new Interrupted("cut short", { cause: new Error("cut short") });
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A stream whose failure is the connection's, to be told from failures of the disk. */
async function* broken(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    throw new Interrupted("the connection broke", { cause });
  }
}

async function request(
  address: string,
  headers: Record<string, string>,
  { signal, allowed }: DownloadOptions,
): Promise<IncomingMessage> {
  try {
    const check = (url: URL) => refuseUnencrypted(url.href, allowed);
    return await httpGet(address, { headers, check, ...(signal && { signal }) });
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new Interrupted("no connection", { cause });
  }
}

const isHttps = (url: URL) => url.protocol === "https:";

/** Throws UserError on what is no address, or not one that may be read. */
export function refuseUnencrypted(address: string, allowed: DownloadOptions["allowed"] = isHttps): void {
  if (URL.canParse(address) && allowed(new URL(address))) return;
  throw new UserError("bad-source", `"${address}" is not encrypted`, "Give an https address.");
}

function interrupted(address: string, cause: unknown): OperationalError {
  const deepest = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const why = deepest instanceof Error ? ` (${deepest.message})` : "";
  const fix = "Check the network, or name the proxy in HTTPS_PROXY; what came is kept and continued.";
  return new OperationalError("offline", `${address} cannot be reached${why}`, fix, { cause });
}

function tooLarge(address: string): UserError {
  return new UserError("too-large", `${address} gives more than ${LIMIT_BYTES} bytes`, "Give the path of a file.");
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}
