/** The API's shape. `AppRouter` is all that the browser knows of the server, and only as a type. */
import { z } from "zod";
import { deviceProfileSchema } from "../../targets/deviceProfile.ts";
import { pipelinesRouter } from "./pipelines.ts";
import { runsRouter } from "./runs.ts";
import { procedure, router } from "./trpc.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const stored = z.object({ digest, size: z.number() });

const nodesRouter = router({
  list: procedure
    .meta({ openapi: { method: "GET", path: "/nodes", summary: "Every node type: ports and params as JSON Schema" } })
    .output(z.array(z.looseObject({ type: z.string(), version: z.number(), title: z.string() })))
    .query(({ ctx }) => ctx.services.describeNodes()),
});

const artifactsRouter = router({
  get: procedure
    .meta({
      openapi: { method: "GET", path: "/artifacts/{digest}", summary: "Size of an artifact; files of a folder" },
    })
    .input(z.object({ digest }))
    .output(z.object({ digest, size: z.number(), files: z.record(z.string(), stored).optional() }))
    .query(({ ctx, input }) => ctx.services.describeArtifact(input.digest)),

  /** Joins uploaded files into a folder that a `source` parameter can name. */
  folder: procedure
    .meta({ openapi: { method: "POST", path: "/artifacts/folder", summary: "Makes a folder of uploaded files" } })
    .input(z.object({ name: z.string().min(1).max(200), files: z.record(z.string(), stored) }))
    .output(z.object({ source: z.string() }))
    .mutation(({ ctx, input }) => ctx.services.makeFolder(input.name, input.files)),
});

const targetsRouter = router({
  list: procedure
    .meta({ openapi: { method: "GET", path: "/targets", summary: "Devices to run on or to predict for" } })
    .output(
      z.array(
        deviceProfileSchema.extend({
          available: z.boolean(),
          provenance: z.enum(["measured", "estimated"]),
          note: z.string().optional(),
        }),
      ),
    )
    .query(({ ctx }) => ctx.services.listTargets()),
});

export const appRouter = router({
  nodes: nodesRouter,
  pipelines: pipelinesRouter,
  runs: runsRouter,
  artifacts: artifactsRouter,
  targets: targetsRouter,
});
export type AppRouter = typeof appRouter;
