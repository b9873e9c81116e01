/**
 * A run's events over plain HTTP, as server-sent events (WHATWG HTML, section 9.2): `GET /api/openapi/runs/ID/events`. The id
 * of each is its `seq`; a client that comes back with `Last-Event-ID`, or with `?after=SEQ`, gets what follows.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { UserError } from "../../nodes/context.ts";
import type { Services } from "../services.ts";

const PATH = /^\/api\/openapi\/runs\/([a-z0-9-]{1,64})\/events$/;
const PING_MS = 15_000;

/** The run whose events a path names. */
export function runOfEvents(path: string): string | undefined {
  return PATH.exec(path)?.[1];
}

export async function handleEvents(
  { executor }: Services,
  runId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const given = request.headers["last-event-id"] ?? new URL(request.url ?? "/", "http://x").searchParams.get("after");
  const after = given === null ? -1 : Number(given);
  try {
    if (request.method !== "GET" || !Number.isInteger(after)) {
      throw new UserError("bad-request", "this takes a GET, after the number of an event", "Leave `after` out.");
    }
    // Throws where there is no such run.
    await executor.events(runId);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, fix } = error;
    response.writeHead(code === "unknown-run" ? 404 : 400, { "content-type": "application/json" });
    response.end(JSON.stringify({ code, message, fix }));
    return;
  }
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" }).flushHeaders();
  const ping = setInterval(() => response.write(": still here\n\n"), PING_MS);
  try {
    for await (const event of executor.watch(runId, after, gone.signal)) {
      response.write(`id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`);
    }
  } finally {
    clearInterval(ping);
    response.end();
  }
}

/** Its entry in the OpenAPI document, which is made of procedures and knows no streams. */
export const eventsOperation = {
  get: {
    operationId: "runs-events",
    summary: "The events of a run as they come, as server-sent events; ends after run.finished",
    parameters: [
      { name: "runId", in: "path", required: true, schema: { type: "string" } },
      { name: "after", in: "query", schema: { type: "integer" }, description: "Only events with a greater seq." },
      { name: "Last-Event-ID", in: "header", schema: { type: "integer" }, description: "The same, from a browser." },
    ],
    responses: {
      200: {
        description: "One event a message; data is the JSON of docs/formats.md, id its seq.",
        content: { "text/event-stream": { schema: { type: "string" } } },
      },
      404: { description: "There is no such run." },
    },
  },
} as const;
