/**
 * The server listens on this machine only, but a browser here also shows strangers' pages. Two rules keep those out:
 * the Host header must be a name of this machine (DNS rebinding), and what changes something must come from our own
 * pages or from no page at all (cross-site requests).
 */
import type { IncomingMessage } from "node:http";

const LOCAL = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Why a request is refused; undefined where it is welcome. */
export function refusal(request: Pick<IncomingMessage, "headers" | "method">): string | undefined {
  const host = request.headers.host ?? "";
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (!LOCAL.has(name)) return `Open Edgewright by http://localhost, not by "${host}".`;
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  const { origin } = request.headers;
  if (origin === undefined || origin === `http://${host}`) return undefined;
  return `A page of ${origin} may not change anything here.`;
}
