/** Runs: start, cancel, list, get, watch. A watch resumes after the last event a client has seen. */
import { tracked } from "@trpc/server";
import { z } from "zod";
import { pipelineDocSchema } from "../../pipelines/document/doc.ts";
import { runEventSchema } from "../../pipelines/document/events.ts";
import { procedure, router } from "./trpc.ts";

const runId = z.string().regex(/^[a-z0-9-]{1,64}$/);

const startSchema = z.object({
  /** A saved pipeline; with `doc` only the name under which the run is listed. */
  name: z.string().optional(),
  doc: z.json().optional(),
  target: z.string().optional(),
  /** Parameters by path: `{"quantize.bits": 8}`. */
  set: z.record(z.string(), z.json()).optional(),
  /** Measure and export again. */
  fresh: z.boolean().optional(),
  /** Run only what this node needs. */
  to: z.string().optional(),
});

export const runsRouter = router({
  start: procedure
    .meta({ openapi: { method: "POST", path: "/runs", summary: "Runs a saved pipeline by name, or a document" } })
    .input(startSchema)
    .output(z.object({ runId }))
    .mutation(async ({ ctx, input }) => {
      const { name = "" } = input;
      const doc = input.doc ?? (await ctx.services.pipelines.get(name)).doc;
      return ctx.services.executor.submit({ ...input, doc });
    }),

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
    .query(async ({ ctx, input }) => [...(await ctx.services.executor.list(input))]),

  get: procedure
    .meta({ openapi: { method: "GET", path: "/runs/{runId}", summary: "The whole log of a run, and what ran" } })
    .input(z.object({ runId }))
    .output(z.object({ events: z.array(runEventSchema), doc: pipelineDocSchema.optional() }))
    .query(async ({ ctx, input }) => {
      const { executor } = ctx.services;
      const doc = await executor.document(input.runId);
      return { events: [...(await executor.events(input.runId))], ...(doc && { doc }) };
    }),

  watch: procedure
    .input(z.object({ runId, lastEventId: z.string().regex(/^\d+$/).optional() }))
    .subscription(async function* ({ ctx, input, signal }) {
      const after = input.lastEventId === undefined ? -1 : Number(input.lastEventId);
      for await (const event of ctx.services.executor.watch(input.runId, after, signal)) {
        yield tracked(String(event.seq), event);
      }
    }),
});
