/** The API's shape. `AppRouter` is all that the browser knows of the server, and only as a type. */
import { z } from "zod";
import { deviceProfileSchema } from "../../targets/deviceProfile.ts";
import { putTree } from "../storage/artifacts.ts";
import { describeArtifact, describeNode, describeTarget } from "./describe.ts";
import { pipelinesRouter } from "./pipelines.ts";
import { runsRouter } from "./runs.ts";
import { procedure, router } from "./trpc.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const stored = z.object({ digest, size: z.number() });

const nodesRouter = router({
  list: procedure
    .meta({ openapi: { method: "GET", path: "/nodes", summary: "Every node type: ports and params as JSON Schema" } })
    .input(z.object({}).optional())
    .output(z.array(z.looseObject({ type: z.string(), version: z.number(), title: z.string() })))
    .query(({ ctx }) => Object.values(ctx.services.defs).map(describeNode)),
});

const modelsRouter = router({
  list: procedure
    .meta({ openapi: { method: "GET", path: "/models", summary: "The catalogue: models that a source may name" } })
    .input(z.object({}).optional())
    .output(
      z.array(
        z.looseObject({ id: z.string(), title: z.string(), task: z.string(), format: z.enum(["onnx", "pytorch"]) }),
      ),
    )
    .query(({ ctx }) => [...ctx.services.catalogue]),
});

const sourcesRouter = router({
  list: procedure
    .meta({ openapi: { method: "GET", path: "/sources", summary: "What a source may name without a file" } })
    .input(z.object({}).optional())
    .output(z.array(z.object({ source: z.string(), kinds: z.array(z.string()), title: z.string() })))
    .query(async ({ ctx }) => {
      const named = await ctx.services.namedSources();
      return named.map(({ kinds, ...rest }) => ({ ...rest, kinds: [...kinds] }));
    }),
});

const artifactsRouter = router({
  get: procedure
    .meta({
      openapi: { method: "GET", path: "/artifacts/{digest}", summary: "Size of an artifact; files of a folder" },
    })
    .input(z.object({ digest }))
    .output(z.object({ digest, size: z.number(), files: z.record(z.string(), stored).optional() }))
    .query(({ ctx, input }) => describeArtifact(ctx.services, input.digest)),

  /** Joins uploaded files into a folder that a `source` parameter can name. */
  folder: procedure
    .meta({ openapi: { method: "POST", path: "/artifacts/folder", summary: "Makes a folder of uploaded files" } })
    .input(z.object({ name: z.string().min(1).max(200), files: z.record(z.string(), stored) }))
    .output(z.object({ source: z.string() }))
    .mutation(async ({ ctx, input }) => {
      for (const { digest } of Object.values(input.files)) await ctx.services.blobs.locate(digest);
      const tree = await putTree(ctx.services.blobs, input.files);
      return { source: `sha256:${tree.digest}#${input.name}` };
    }),
});

const targetsRouter = router({
  list: procedure
    .meta({ openapi: { method: "GET", path: "/targets", summary: "Devices to run on or to predict for" } })
    .input(z.object({}).optional())
    .output(
      z.array(
        deviceProfileSchema.extend({
          available: z.boolean(),
          provenance: z.enum(["measured", "estimated"]),
          note: z.string().optional(),
        }),
      ),
    )
    .query(({ ctx }) => ctx.services.targets.map(describeTarget)),
});

export const appRouter = router({
  nodes: nodesRouter,
  models: modelsRouter,
  sources: sourcesRouter,
  pipelines: pipelinesRouter,
  runs: runsRouter,
  artifacts: artifactsRouter,
  targets: targetsRouter,
});
export type AppRouter = typeof appRouter;
