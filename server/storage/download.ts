/** A file from an https address: bounded, held to its SHA-256 before its last byte is handed on. */
import { createHash } from "node:crypto";
import { OperationalError, UserError } from "../../nodes/context.ts";
import { type SourceContext, throttled } from "./ingest.ts";

const LIMIT_BYTES = 20 * 2 ** 30;

/** Throws at the end where the digest differs, so that a store which adopts on success keeps nothing wrong. */
export async function* download(address: string, context: SourceContext): AsyncIterable<Uint8Array> {
  const { sha256, signal, progress } = context;
  const response = await fetch(address, { signal, redirect: "follow" }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    const fix = `Get the file yourself, put it into the workspace and give its path (SHA-256 ${sha256}).`;
    throw new OperationalError("offline", `${address} cannot be reached`, fix, { cause });
  });
  if (!response.ok || !response.body) {
    throw new OperationalError("download-failed", `${address} answers ${response.status}`, "Check the address.");
  }
  if (!response.url.startsWith("https://")) {
    throw new UserError("bad-source", `${address} leads to an unencrypted address`, "Give the final https address.");
  }
  const length = Number(response.headers.get("content-length")) || undefined;
  const hash = createHash("sha256");
  const say = throttled(progress);
  let done = 0;
  for await (const chunk of response.body) {
    done += chunk.byteLength;
    if (done > LIMIT_BYTES) throw new UserError("too-large", `${address} gives more than ${LIMIT_BYTES} bytes`);
    hash.update(chunk);
    yield chunk;
    say({ done, ...(length !== undefined && { total: length }), unit: "bytes", message: "downloading" });
  }
  const digest = hash.digest("hex");
  if (digest !== sha256) {
    const message = `${address} gave a file with the SHA-256 ${digest}, not ${sha256}`;
    throw new UserError("wrong-sha256", message, "Check the address and the sha256 parameter.");
  }
}
