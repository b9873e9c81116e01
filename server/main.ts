/**
 * The one server process: the executor with its steps in children, the API (tRPC at /api/trpc, the same as plain HTTP at
 * /api/openapi with its document at /api/openapi.json, bytes at /api/blobs), and the pages. Bound to this machine only.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { nodeHTTPRequestHandler } from "@trpc/server/adapters/node-http";
import pino from "pino";
import { createOpenApiNodeHttpHandler, generateOpenApiDocument } from "trpc-to-openapi";
import { UserError } from "../nodes/context.ts";
import { handleBlobs } from "./http/blobs.ts";
import { eventsOperation, handleEvents, runOfEvents } from "./http/events.ts";
import { refusal } from "./http/guard.ts";
import { projectVersion } from "./projectRoot.ts";
import { createServices, type Services } from "./services.ts";
import { takeLock } from "./storage/lock.ts";
import { appRouter } from "./trpc/router.ts";

export interface ServerOptions {
  readonly root: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Where package.json and the built pages are; absent: the API alone. */
  readonly pagesDir?: string;
}

export interface RunningServer {
  readonly url: string;
  readonly services: Services;
  /** Runs that a dead server had left open and that go on now. */
  readonly resumed: readonly string[];
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

// stdout belongs to the terminal's reader; logs go to stderr.
const log = pino(
  { base: null, level: process.env.EDGEWRIGHT_LOG ?? "warn" },
  pino.destination({ dest: 2, sync: true }),
);

export async function startServer({ root, port, pagesDir }: ServerOptions): Promise<RunningServer> {
  const services = createServices({ root });
  try {
    const server = createServer();
    const pages = pagesDir === undefined ? undefined : await preparePages(pagesDir);
    const handle = route(services, pages);
    server.on("request", (request, response) => {
      handle(request, response).catch((error: unknown) => {
        // A reader that went away is no failure of ours.
        if (request.destroyed || response.destroyed) return;
        log.error({ err: error, url: request.url }, "a request failed");
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    });
    const actual = await listen(server, port);
    const lock = takeLock(services.workspace.home, actual);
    if ("holder" in lock) {
      server.close();
      const where = `http://localhost:${lock.holder.port}`;
      throw new UserError("already-running", `Edgewright serves this workspace already, at ${where}`, "Open it there.");
    }
    const resumed = await services.executor.resume();
    services.warmUp();
    return {
      url: `http://localhost:${actual}`,
      services,
      resumed,
      close: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        await services[Symbol.asyncDispose]();
        lock.release();
      },
    };
  } catch (error) {
    await services[Symbol.asyncDispose]();
    throw error;
  }
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code !== "EADDRINUSE") return reject(cause);
      const fix = `Stop the other program, or take another port: npm start -- --port ${port + 1}`;
      reject(new UserError("port-in-use", `port ${port} is in use`, fix, { cause }));
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on no port");
  return address.port;
}

function route(services: Services, pages: Handler | undefined): Handler {
  const createContext = () => ({ services });
  const openApi = createOpenApiNodeHttpHandler({ router: appRouter, createContext });
  return async (request, response) => {
    const refused = refusal(request);
    if (refused) {
      response.writeHead(403, { "content-type": "text/plain; charset=utf-8" }).end(refused);
      return;
    }
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    if (path.startsWith("/api/trpc/")) {
      const procedurePath = path.slice("/api/trpc/".length);
      return nodeHTTPRequestHandler({
        router: appRouter,
        createContext,
        req: request,
        res: response,
        path: procedurePath,
      });
    }
    if (path.startsWith("/api/blobs")) return handleBlobs(services, request, response);
    if (path === "/api/openapi.json") {
      const document = generateOpenApiDocument(appRouter, {
        title: "Edgewright",
        version: projectVersion,
        baseUrl: `http://${request.headers.host}/api/openapi`,
      });
      const paths = { ...document.paths, "/runs/{runId}/events": eventsOperation };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ ...document, paths }));
      return;
    }
    const watched = runOfEvents(path);
    if (watched !== undefined) return handleEvents(services, watched, request, response);
    if (path.startsWith("/api/openapi/")) {
      request.url = (request.url ?? "").slice("/api/openapi".length);
      return openApi(request, response);
    }
    if (pages) return pages(request, response);
    response.writeHead(404).end();
  };
}

async function preparePages(dir: string): Promise<Handler> {
  const { default: next } = await import("next");
  const app = next({ dev: false, dir, quiet: true });
  await app.prepare();
  const handle = app.getRequestHandler();
  return async (request, response) => {
    await handle(request, response);
  };
}
