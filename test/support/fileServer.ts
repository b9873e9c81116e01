/** A web server of one file for tests: ranges, a tag, connections cut on purpose, redirects; and a proxy that tunnels. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

export interface FileServer extends AsyncDisposable {
  readonly url: string;
  /** Of the requests so far: the `range` header, "" without one. */
  readonly ranges: string[];
  /** Cuts the connection after so many bytes, this many times. */
  cut: { after: number; times: number };
  bytes: Uint8Array;
  /** Answers this status instead of the file. */
  status: number | undefined;
}

export async function serveFile(bytes: Uint8Array): Promise<FileServer> {
  const state = { bytes, ranges: [] as string[], cut: { after: 0, times: 0 }, status: undefined as number | undefined };
  const server = createServer((request, response) => answer(request, response, state));
  const url = `http://127.0.0.1:${await listen(server)}/models/tiny.onnx`;
  return Object.assign(state, { url, [Symbol.asyncDispose]: () => close(server) });
}

type State = Omit<FileServer, "url" | typeof Symbol.asyncDispose>;

function answer(request: IncomingMessage, response: ServerResponse, state: State): void {
  const { bytes } = state;
  state.ranges.push(request.headers.range ?? "");
  if (state.status !== undefined) {
    response.writeHead(state.status).end();
    return;
  }
  const etag = `"${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}"`;
  const wanted = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const same = (request.headers["if-range"] ?? etag) === etag;
  const from = same ? wanted : 0;
  if (from >= bytes.length) {
    response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
    return;
  }
  const body = bytes.subarray(from);
  response.writeHead(from > 0 ? 206 : 200, {
    etag,
    "content-length": body.length,
    ...(from > 0 && { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
  });
  if (state.cut.times === 0) {
    response.end(body);
    return;
  }
  state.cut.times--;
  response.write(body.subarray(0, state.cut.after), () => setTimeout(() => response.destroy(), 50));
}

export interface Proxy extends AsyncDisposable {
  readonly url: string;
  /** `host:port` of the tunnels it was asked for. */
  readonly tunnels: readonly string[];
}

export async function serveProxy(): Promise<Proxy> {
  const tunnels: string[] = [];
  const clients = new Set<Duplex>();
  const server = createServer();
  server.on("connect", (request, client, head) => {
    tunnels.push(request.url ?? "");
    clients.add(client);
    const [host, port] = (request.url ?? "").split(":");
    const upstream = connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on("error", () => client.destroy());
    client.on("error", () => upstream.destroy());
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  const end = () => {
    for (const client of clients) client.destroy();
    return close(server);
  };
  return { url, tunnels, [Symbol.asyncDispose]: end };
}

export async function serveRedirect(to: string): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((_request, response) => response.writeHead(302, { location: to }).end());
  const url = `http://127.0.0.1:${await listen(server)}/`;
  return { url, [Symbol.asyncDispose]: () => close(server) };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
