/**
 * Bytes over plain HTTP: `GET /api/blobs/DIGEST[/FILE][?download=NAME]` and `POST /api/blobs` (the body is the file, its
 * name in the header `x-file-name`). Everything is named by its digest, so it never changes and may be cached for ever.
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { OperationalError, UserError } from "../../nodes/context.ts";
import { own } from "../../pipelines/document/own.ts";
import type { Services } from "../services.ts";
import { readTree } from "../storage/artifacts.ts";
import { isCode, type TreeFiles } from "../storage/blobs.ts";
import { contentType } from "./contentType.ts";
import { tar, tarSize } from "./tar.ts";

/** Larger models are given by a path on the server's machine. */
const MAX_UPLOAD_BYTES = 4 * 2 ** 30;
const PATH = /^\/api\/blobs\/([0-9a-f]{64})(?:\/(.+))?$/;

export async function handleBlobs(
  services: Services,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  try {
    if (request.method === "POST" && url.pathname === "/api/blobs") {
      return sendJson(response, 201, await receive(services, request));
    }
    const match = PATH.exec(url.pathname);
    if (!match?.[1] || (request.method !== "GET" && request.method !== "HEAD")) {
      return sendJson(response, 404, { message: "There is nothing here." });
    }
    const download = url.searchParams.get("download");
    const file = match[2] && decoded(match[2]);
    const tree = download && file === undefined ? await readTree(services.blobs, match[1]) : undefined;
    if (tree && download) return await sendTree(services, tree, download, response);
    await send(await storedPath(services, match[1], file), download, request.method, response);
  } catch (error) {
    // The reader went away: a page was left, a picture scrolled out of sight.
    if (isCode(error, "ERR_STREAM_PREMATURE_CLOSE")) return;
    if (!(error instanceof UserError || error instanceof OperationalError)) throw error;
    sendJson(response, STATUS[error.code] ?? 400, { code: error.code, message: error.message, fix: error.fix });
  }
}

const STATUS: Readonly<Record<string, number>> = { "missing-blob": 404, "too-large": 413, "unknown-type": 415 };

async function receive(services: Services, request: IncomingMessage) {
  const name = fileName(request.headers["x-file-name"]);
  const length = Number(request.headers["content-length"] ?? 0);
  if (length > MAX_UPLOAD_BYTES) throw tooLarge();
  const stored = await services.blobs.putStream(checked(request));
  return { ...stored, name, source: `sha256:${stored.digest}#${name}` };
}

/** Passes a body on while it is what a pipeline can use and no larger than allowed. */
async function* checked(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let bytes = 0;
  let head = new Uint8Array(0);
  let known = false;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_UPLOAD_BYTES) throw tooLarge();
    if (!known) {
      head = Buffer.concat([head, chunk.subarray(0, 64)]);
      known = head.length >= 64 && assertKnown(head);
    }
    yield chunk;
  }
  if (!known) assertKnown(head);
}

function assertKnown(head: Uint8Array): true {
  if (contentType(head)) return true;
  const fix = "Send an .onnx file, a JPEG, PNG or WebP image, an MP4 or MKV video, a label file or a pipeline's JSON.";
  throw new UserError("unknown-type", "this file is none of the kinds a pipeline can use", fix);
}

function tooLarge(): UserError {
  return new UserError("too-large", "uploads end at 4 GiB", "Put the file below the workspace and give its path.");
}

function fileName(header: string | string[] | undefined): string {
  const given = decoded(String(header ?? "file"));
  const base = given.split(/[\\/]/).at(-1) ?? "file";
  return (
    Array.from(base, (c) => (c < " " || c === "\u007f" ? "_" : c))
      .join("")
      .slice(0, 200) || "file"
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UserError(
      "bad-name",
      `"${text}" is not percent-encoded text`,
      "Encode the name with encodeURIComponent.",
    );
  }
}

/** Where the bytes lie: of a blob, or of a file in a folder. */
async function storedPath({ artifacts, blobs }: Services, digest: string, file: string | undefined): Promise<string> {
  if (file === undefined) return artifacts.filePath({ digest });
  const inside = own((await readTree(blobs, digest)) ?? {}, file);
  if (!inside) throw new UserError("missing-blob", `there is no file "${file}" in ${digest.slice(0, 12)}`);
  return artifacts.filePath(inside);
}

/** A folder is downloaded as one archive. */
async function sendTree({ artifacts }: Services, tree: TreeFiles, download: string, response: ServerResponse) {
  const entries = await Promise.all(
    Object.entries(tree).map(async ([name, file]) => ({ name, size: file.size, path: await artifacts.filePath(file) })),
  );
  response.writeHead(200, {
    "content-type": "application/x-tar",
    "content-length": tarSize(entries),
    ...asFile(download),
  });
  await pipeline(tar(entries), response);
}

function asFile(name: string) {
  return { "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}` };
}

async function send(path: string, download: string | null, method: "GET" | "HEAD", response: ServerResponse) {
  await using handle = await open(path);
  const { size } = await handle.stat();
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(64), 0, 64, 0);
  const type = contentType(buffer.subarray(0, bytesRead));
  response.writeHead(200, {
    "content-type": type?.mime ?? "application/octet-stream",
    "content-length": size,
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    ...(download ? asFile(download) : {}),
  });
  if (method === "HEAD") response.end();
  else await pipeline(createReadStream(path), response);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
