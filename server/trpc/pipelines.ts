/** Saved pipelines: list, get, save with the revision it was based on, rename, remove, check. */
import { z } from "zod";
import { pipelineDocSchema } from "../../pipelines/document/doc.ts";
import { diagnosticSchema } from "../../pipelines/document/events.ts";
import { prepare } from "../executor/prepare.ts";
import { procedure, router } from "./trpc.ts";

const name = z
  .string()
  .regex(/^[a-z0-9-]+$/)
  .max(100);
const revision = z.string();

export const pipelinesRouter = router({
  list: procedure
    .meta({ openapi: { method: "GET", path: "/pipelines", summary: "All saved pipelines" } })
    .output(z.array(z.object({ name, revision, updatedAt: z.string(), nodes: z.number() })))
    .query(({ ctx }) => ctx.services.pipelines.list()),

  get: procedure
    .meta({ openapi: { method: "GET", path: "/pipelines/{name}", summary: "One pipeline and its revision" } })
    .input(z.object({ name }))
    .output(z.object({ doc: pipelineDocSchema, revision }))
    .query(({ ctx, input }) => ctx.services.pipelines.get(input.name)),

  save: procedure
    .meta({ openapi: { method: "PUT", path: "/pipelines/{name}", summary: "Saves; refused where the base is stale" } })
    .input(z.object({ name, doc: pipelineDocSchema, baseRevision: revision.nullable() }))
    .output(z.object({ revision }))
    .mutation(({ ctx, input }) => ctx.services.pipelines.save(input.name, input.doc, input.baseRevision)),

  rename: procedure
    .meta({ openapi: { method: "POST", path: "/pipelines/{name}/rename", summary: "Renames" } })
    .input(z.object({ name, to: name }))
    .output(z.object({ revision }))
    .mutation(({ ctx, input }) => ctx.services.pipelines.rename(input.name, input.to)),

  remove: procedure
    .meta({ openapi: { method: "DELETE", path: "/pipelines/{name}", summary: "Removes" } })
    .input(z.object({ name }))
    .output(z.object({ removed: z.boolean() }))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.pipelines.remove(input.name);
      return { removed: true };
    }),

  check: procedure
    .meta({ openapi: { method: "POST", path: "/pipelines/check", summary: "What keeps a document from running" } })
    .input(z.object({ doc: z.json() }))
    .output(z.array(diagnosticSchema))
    .mutation(async ({ ctx, input }) => {
      const { diagnostics } = await prepare({ doc: input.doc }, await ctx.services.prepareContext());
      return [...diagnostics];
    }),
});
