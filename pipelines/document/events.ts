/** A run is a log: these events, one JSON object a line, are all that a run leaves besides its artifacts. */
import { z } from "zod";

const head = { runId: z.string(), seq: z.int().nonnegative(), time: z.string() };
const artifact = z.strictObject({
  kind: z.string(),
  digest: z.string(),
  size: z.number().optional(),
  form: z.literal("tree").optional(),
});
/** `path` is absolute; `value` is the JSON of a report. Both only in `run.finished`. */
const output = artifact.extend({ path: z.string().optional(), value: z.json().optional() });
export const diagnosticSchema = z.strictObject({
  code: z.string(),
  severity: z.enum(["error", "warning"]),
  nodeId: z.string().optional(),
  portId: z.string().optional(),
  message: z.string(),
  fix: z.string().optional(),
});
export const stepErrorSchema = z.strictObject({ code: z.string(), message: z.string(), fix: z.string().optional() });

export const runEventSchema = z.discriminatedUnion("type", [
  z.strictObject({
    ...head,
    type: z.literal("run.started"),
    pipeline: z.string(),
    target: z.string(),
    /** Node ids in the order of execution. */
    plan: z.array(z.string()),
    diagnostics: z.array(diagnosticSchema).optional(),
  }),
  z.strictObject({ ...head, type: z.literal("step.started"), node: z.string() }),
  z.strictObject({
    ...head,
    type: z.literal("step.progress"),
    node: z.string(),
    done: z.number(),
    total: z.number().optional(),
    unit: z.string().optional(),
    message: z.string().optional(),
  }),
  z.strictObject({
    ...head,
    type: z.literal("step.log"),
    node: z.string(),
    level: z.enum(["info", "warning"]),
    message: z.string(),
  }),
  z.strictObject({
    ...head,
    type: z.literal("step.finished"),
    node: z.string(),
    cache: z.enum(["hit", "miss"]),
    /** Why it ran, or why a hit was possible: "parameter bits changed", "first run". */
    reason: z.string().optional(),
    effects: z.enum(["pure", "builds", "infers", "measures", "exports"]),
    ms: z.number(),
    outputs: z.record(z.string(), artifact),
    previews: z.array(z.strictObject({ digest: z.string(), mime: z.string() })),
  }),
  z.strictObject({ ...head, type: z.literal("step.failed"), node: z.string(), error: stepErrorSchema }),
  z.strictObject({
    ...head,
    type: z.literal("run.finished"),
    status: z.enum(["done", "failed", "cancelled"]),
    outputs: z.record(z.string(), z.record(z.string(), output)),
    diagnostics: z.array(diagnosticSchema).optional(),
  }),
]);
export type RunEvent = z.infer<typeof runEventSchema>;
/** A union member without its head: what the executor emits. */
export type RunEventBody = RunEvent extends infer E
  ? E extends RunEvent
    ? Omit<E, "runId" | "seq" | "time">
    : never
  : never;
export type RunOutput = z.infer<typeof output>;
