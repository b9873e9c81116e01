/** The one tRPC instance: its context is the services; errors a user can mend keep their code and fix. */
import { initTRPC, TRPCError } from "@trpc/server";
import type { OpenApiMeta } from "trpc-to-openapi";
import { OperationalError, UserError } from "../../nodes/context.ts";
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
export const procedure = t.procedure.use(async ({ next }) => {
  const result = await next();
  if (result.ok || !(result.error.cause instanceof UserError)) return result;
  const { cause } = result.error;
  const code = STATUS[cause.code] ?? "BAD_REQUEST";
  throw new TRPCError({ code, message: cause.fix ? `${cause.message}. ${cause.fix}` : cause.message, cause });
});

const STATUS: Readonly<Record<string, "NOT_FOUND" | "CONFLICT">> = {
  "unknown-pipeline": "NOT_FOUND",
  "unknown-run": "NOT_FOUND",
  "missing-blob": "NOT_FOUND",
  conflict: "CONFLICT",
  exists: "CONFLICT",
};
