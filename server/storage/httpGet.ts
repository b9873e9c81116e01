/**
 * One GET with node:https, through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name (a CONNECT tunnel, RFC 9110
 * section 9.3.6; Node 20's own fetch knows none of them). Every address on the way, redirects included, must be allowed.
 */
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { Socket } from "node:net";
import { connect as secure } from "node:tls";

export interface GetOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Throws where an address may not be read. */
  readonly check: (url: URL) => void;
}

const REDIRECTS = [301, 302, 303, 307, 308];
const MAX_REDIRECTS = 8;
const SILENCE_MS = 60_000;

/** The answer, its body yet to be read. Rejects where there is no connection. */
export async function httpGet(address: string, options: GetOptions): Promise<IncomingMessage> {
  let url = new URL(address);
  for (let left = MAX_REDIRECTS; ; left--) {
    options.check(url);
    const response = await getOnce(url, options);
    const { location } = response.headers;
    if (!REDIRECTS.includes(response.statusCode ?? 0) || location === undefined) return response;
    response.destroy();
    if (left === 0) throw new Error("too many redirects");
    url = new URL(location, url);
  }
}

async function getOnce(url: URL, { headers, signal }: GetOptions): Promise<IncomingMessage> {
  const proxy = proxyFor(url);
  const tunnel = proxy && (await openTunnel(url, proxy, signal));
  const encrypted = url.protocol === "https:";
  const connection = tunnel && (encrypted ? secure({ socket: tunnel, servername: url.hostname }) : tunnel);
  return new Promise((resolve, reject) => {
    const request = (encrypted ? secureRequest : plainRequest)(url, {
      headers,
      agent: false,
      ...(signal && { signal }),
      ...(connection && { createConnection: () => connection }),
    });
    request.setTimeout(SILENCE_MS, () => request.destroy(new Error("no answer for a minute")));
    request.once("response", resolve).on("error", reject).end();
  });
}

/** A socket to the address's host, by way of the proxy. */
function openTunnel(url: URL, proxy: URL, signal: AbortSignal | undefined): Promise<Socket> {
  const target = `${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`;
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return new Promise((resolve, reject) => {
    const request = (proxy.protocol === "https:" ? secureRequest : plainRequest)({
      method: "CONNECT",
      host: proxy.hostname,
      port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
      path: target,
      agent: false,
      headers: {
        host: target,
        ...(proxy.username !== "" && { "proxy-authorization": `Basic ${Buffer.from(user).toString("base64")}` }),
      },
      ...(signal && { signal }),
    });
    request.setTimeout(SILENCE_MS, () => request.destroy(new Error("the proxy does not answer")));
    request.once("connect", ({ statusCode, statusMessage }, socket) => {
      // What is sent through it has a timeout of its own.
      if (statusCode === 200) resolve(socket.setTimeout(0));
      else {
        socket.destroy();
        reject(new Error(`the proxy ${proxy.host} answers ${statusCode} ${statusMessage}`));
      }
    });
    request.on("error", reject).end();
  });
}

/** The proxy of the environment for an address; small letters win, as with curl. */
export function proxyFor(url: URL): URL | undefined {
  const read = (name: string) => process.env[name.toLowerCase()] || process.env[name] || "";
  const proxy = read(url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (proxy === "") return undefined;
  const spared = read("NO_PROXY")
    .split(/[\s,]+/)
    .some((entry) => matches(url, entry.toLowerCase()));
  return spared ? undefined : new URL(proxy.includes("://") ? proxy : `http://${proxy}`);
}

/** `*`, a host, or a domain with or without a leading dot or `*.`, each with a port or without. */
function matches({ hostname, port }: URL, entry: string): boolean {
  if (entry === "" || entry === "*") return entry === "*";
  const [, name, wantedPort] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  return hostname === name || hostname.endsWith(`.${name}`);
}
