/** A run in the server that holds this workspace, over its own doors: the API, and the event stream of a run. */
import { z } from "zod";
import { OperationalError, UserError } from "../../nodes/context.ts";
import { type RunEvent, runEventSchema } from "../../pipelines/document/events.ts";
import type { LockHolder } from "../storage/lock.ts";
import type { Host } from "./run.ts";

export function joinServer({ port }: LockHolder): Host {
  const base = `http://127.0.0.1:${port}/api`;
  return {
    start: async (submission) => {
      const answer = await post(`${base}/openapi/runs`, submission);
      return z.object({ runId: z.string() }).parse(answer);
    },
    watch: (runId) => watch(`${base}/openapi/runs/${runId}/events`),
    cancel: (runId) => post(`${base}/openapi/runs/${runId}/cancel`, {}),
  };
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await request(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  const said = z.object({ message: z.string() }).safeParse(answer);
  throw new UserError("refused", said.success ? said.data.message : `the server answers ${response.status}`);
}

async function request(url: string, init?: RequestInit): Promise<Response> {
  return fetch(url, init).catch((cause: unknown) => {
    const fix = "Start it again, or stop it so that this command runs on its own.";
    throw new OperationalError("server-lost", "the server of this workspace does not answer", fix, { cause });
  });
}

/** Server-sent events: `data` is the event; a lost connection is taken up after the last one seen. */
async function* watch(url: string): AsyncGenerator<RunEvent> {
  let after = -1;
  for (let attempts = 0; attempts < 5; attempts++) {
    const response = await request(`${url}?after=${after}`);
    if (!response.body) break;
    try {
      for await (const data of dataLines(response.body)) {
        const event = runEventSchema.safeParse(data);
        if (!event.success) continue;
        attempts = 0;
        after = event.data.seq;
        yield event.data;
        if (event.data.type === "run.finished") return;
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  throw new OperationalError(
    "server-lost",
    "the server closed the stream of this run",
    "See it with edgewright report.",
  );
}

async function* dataLines(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data: ")) yield JSON.parse(line.slice("data: ".length));
  }
}
