/**
 * The one server process: the executor with its steps in children, the API (tRPC at /api/trpc, the same as plain HTTP at
 * /api/openapi with its document at /api/openapi.json, bytes at /api/blobs), and the pages. Bound to this machine only.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { nodeHTTPRequestHandler } from "@trpc/server/adapters/node-http";
import { createOpenApiNodeHttpHandler, generateOpenApiDocument } from "trpc-to-openapi";
import { handleBlobs } from "./http/blobs.ts";
import { refusal } from "./http/guard.ts";
import { createServices, type Services } from "./services.ts";
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
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export async function startServer({ root, port, pagesDir }: ServerOptions): Promise<RunningServer> {
  const services = await createServices({ root });
  try {
    const pages = pagesDir === undefined ? undefined : await preparePages(pagesDir);
    const handle = route(services, pages);
    const server = createServer((request, response) => {
      handle(request, response).catch((error: unknown) => {
        services.log.error({ err: error }, "a request failed");
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    const address = portOf(server.address());
    await services.announce(address);
    return {
      url: `http://localhost:${address}`,
      services,
      close: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        await services.close();
      },
    };
  } catch (error) {
    await services.close();
    throw error;
  }
}

function portOf(address: AddressInfo | string | null): number {
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
        version: services.version,
        baseUrl: `http://${request.headers.host}/api/openapi`,
      });
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(document));
      return;
    }
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
