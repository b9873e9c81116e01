/** The one tRPC instance: its context is the services; errors a user can mend keep their code and fix. */
import { initTRPC, TRPCError } from "@trpc/server";
import type { OpenApiMeta } from "trpc-to-openapi";
import { OperationalError, UserError } from "../../nodes/context.ts";
import { rawJsonProblem } from "../../pipelines/document/rawJson.ts";
import type { Services } from "../services.ts";

export interface TrpcContext {
  readonly services: Services;
}

const t = initTRPC
  .context<TrpcContext>()
  .meta<OpenApiMeta>()
  .create({
    sse: { ping: { enabled: true, intervalMs: 15_000 }, client: { reconnectAfterInactivityMs: 45_000 } },
    errorFormatter: ({ shape, error }) => {
      const { stack: _, ...data } = shape.data;
      const cause = error.cause;
      if (!(cause instanceof UserError || cause instanceof OperationalError)) return { ...shape, data };
      return { ...shape, data: { ...data, userCode: cause.code, fix: cause.fix } };
    },
  });

export const router = t.router;

/** A UserError is the caller's to mend: BAD_REQUEST with its own words, not an internal error. */
export const procedure = t.procedure.use(async ({ next, getRawInput }) => {
  const problem = rawJsonProblem(await getRawInput());
  if (problem !== undefined) throw new TRPCError({ code: "BAD_REQUEST", message: `This JSON is refused: ${problem}.` });
  const result = await next();
  if (result.ok) return result;
  const { cause } = result.error;
  if (!(cause instanceof UserError || cause instanceof OperationalError)) return result;
  const code = STATUS[cause.code] ?? (cause instanceof UserError ? "BAD_REQUEST" : "INTERNAL_SERVER_ERROR");
  throw new TRPCError({ code, message: cause.fix ? `${cause.message}. ${cause.fix}` : cause.message, cause });
});

const STATUS: Readonly<Record<string, "NOT_FOUND" | "CONFLICT" | "BAD_REQUEST">> = {
  "bad-name": "BAD_REQUEST",
  "unknown-pipeline": "NOT_FOUND",
  "unknown-run": "NOT_FOUND",
  "missing-blob": "NOT_FOUND",
  conflict: "CONFLICT",
  exists: "CONFLICT",
};
