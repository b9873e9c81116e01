/** Runs: start, cancel, list, get, watch. A watch resumes after the last event a client has seen. */
import { tracked } from "@trpc/server";
import { z } from "zod";
import { runEventSchema } from "../../pipelines/document/events.ts";
import { procedure, router } from "./trpc.ts";

const runId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** `set`: parameter by path, `{"quantize.bits": 8}`; `to`: only what this node needs. */
export const startSchema = z.object({
  name: z.string().optional(),
  doc: z.json().optional(),
  target: z.string().optional(),
  set: z.record(z.string(), z.json()).optional(),
  fresh: z.boolean().optional(),
  to: z.string().optional(),
});

export const runsRouter = router({
  start: procedure
    .meta({ openapi: { method: "POST", path: "/runs", summary: "Runs a saved pipeline by name, or a document" } })
    .input(startSchema)
    .output(z.object({ runId }))
    .mutation(({ ctx, input }) => ctx.services.start(input)),

  cancel: procedure
    .meta({ openapi: { method: "POST", path: "/runs/{runId}/cancel", summary: "Ends a run within a second" } })
    .input(z.object({ runId }))
    .output(z.object({ cancelled: z.boolean() }))
    .mutation(async ({ ctx, input }) => ({ cancelled: await ctx.services.executor.cancel(input.runId) })),

  list: procedure
    .meta({ openapi: { method: "GET", path: "/runs", summary: "Runs, newest first" } })
    .input(z.object({ pipeline: z.string().optional() }))
    .output(
      z.array(
        z.object({
          runId,
          pipeline: z.string(),
          target: z.string(),
          status: z.enum(["queued", "running", "done", "failed", "cancelled"]),
          startedAt: z.string(),
          finishedAt: z.string().optional(),
        }),
      ),
    )
    .query(({ ctx, input }) => ctx.services.executor.list(input)),

  get: procedure
    .meta({ openapi: { method: "GET", path: "/runs/{runId}", summary: "The whole log of a run" } })
    .input(z.object({ runId }))
    .output(z.object({ events: z.array(runEventSchema) }))
    .query(async ({ ctx, input }) => ({ events: await ctx.services.executor.get(input.runId) })),

  watch: procedure.input(z.object({ runId, lastEventId: z.string().optional() })).subscription(async function* ({
    ctx,
    input,
    signal,
  }) {
    const after = input.lastEventId === undefined ? -1 : Number.parseInt(input.lastEventId, 10);
    for await (const event of ctx.services.executor.watch(input.runId, after, signal)) {
      yield tracked(String(event.seq), event);
    }
  }),
});
