/**
 * What a node type is. `schema.ts` of each node folder calls `defineNode` (data and pure functions, so that it loads in
 * a browser too); `run.ts` calls `implementNode` with that definition, and every type follows from it.
 *
 * Terminology: a *node* is a step of a pipeline (ONNX's nodes are `ir.Node`); its *params* are what a user sets; its
 * *effects* say what a result depends on, and cache, schedule and tests read that one word:
 *   pure      same inputs, same bytes
 *   builds    a compiler's output: bound to target and compiler version, bytes may differ between builds
 *   infers    runs a model: same within a tolerance
 *   measures  an observation, kept with machine, versions and time; repeated on request only
 *   exports   writes outside the workspace
 */
import type { z } from "zod";
import type { RunContext } from "./context.ts";
import type { PortKind, PortValue } from "./ports.ts";

export type Effects = "pure" | "builds" | "infers" | "measures" | "exports";
export type Category = "Source" | "Optimise" | "Compile" | "Vision" | "Report";
/** `device`: this step runs on the target; a measuring one holds it alone. */
export type Resource = "cpu" | "io" | "device";

export interface InputPort {
  readonly kinds: readonly PortKind[];
  readonly optional?: boolean;
  /** Takes any number of wires, none included. */
  readonly many?: boolean;
  readonly doc: string;
}
export interface OutputPort {
  readonly kind: PortKind;
  readonly doc: string;
}

export interface Diagnostic {
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly nodeId?: string;
  readonly portId?: string;
  readonly message: string;
  readonly fix?: string;
}

/** Old params to new ones; one for each version below the current: `{ 1: { name: "rename-bits", up } }` takes 1 to 2. */
export interface Migration {
  readonly name: string;
  readonly up: (params: Readonly<Record<string, unknown>>) => Record<string, unknown>;
}

/** What a check may know besides the params: which ports are wired, and to which node types and params. */
export interface CheckInfo {
  readonly wired: Readonly<Record<string, readonly { readonly type: string; readonly params: unknown }[]>>;
}

export interface NodeDef<
  P extends z.ZodObject = z.ZodObject,
  I extends Record<string, InputPort> = Record<string, InputPort>,
  O extends Record<string, OutputPort> = Record<string, OutputPort>,
> {
  /** Permanent, kebab-case. */
  readonly type: string;
  /** Raised when the params' meaning or a pure result changes; then `migrations` must take old params along. */
  readonly version: number;
  readonly title: string;
  readonly category: Category;
  /** One or two sentences for the palette and the inspector. */
  readonly doc: string;
  /** Name of a lucide icon, kebab-case. */
  readonly icon: string;
  /**
   * Every field has a default. `.meta({ title, help, unit, source })`: `source: "model" | "images" | "labels" | "video" |
   * "file"` marks a string that names a file or folder, which the executor resolves and hashes before the step runs; a
   * run needs one unless `optional: true`.
   */
  readonly params: P;
  readonly inputs: I;
  readonly outputs: O;
  readonly effects: Effects;
  readonly resources: readonly Resource[];
  /** True where the result depends on the target (its fingerprint then enters the cache key). */
  readonly usesTarget?: boolean;
  /** Optional parts of the installation that these params need: `tensorrt` for a TensorRT builder. */
  requires?(params: z.output<P>): readonly string[];
  /** Rules that zod cannot say. Never throws. */
  check?(params: z.output<P>, info: CheckInfo): readonly Omit<Diagnostic, "nodeId">[];
  readonly migrations: Readonly<Record<number, Migration>>;
}

export function defineNode<
  P extends z.ZodObject,
  const I extends Record<string, InputPort>,
  const O extends Record<string, OutputPort>,
>(def: NodeDef<P, I, O>): NodeDef<P, I, O> {
  return def;
}

type InputValue<T extends InputPort> = T extends { many: true }
  ? readonly PortValue<T["kinds"][number]>[]
  : T extends { optional: true }
    ? PortValue<T["kinds"][number]> | undefined
    : PortValue<T["kinds"][number]>;

export type InputsOf<I extends Record<string, InputPort>> = { readonly [K in keyof I]: InputValue<I[K]> };
/** An output that a run does not make (a build kit makes no engine) is left out. */
export type OutputsOf<O extends Record<string, OutputPort>> = { readonly [K in keyof O]?: PortValue<O[K]["kind"]> };

/**
 * One execution. A node with stream inputs and artifact outputs (a sink) resolves when the streams have ended; one with
 * stream outputs resolves at once and yields lazily: nothing may run before the first item is asked for, since the
 * executor also calls `run` only to get the artifacts beside the stream (a preprocess's settings).
 */
export type Run<P extends z.ZodObject, I extends Record<string, InputPort>, O extends Record<string, OutputPort>> = (
  ctx: RunContext,
  inputs: InputsOf<I>,
  params: z.output<P>,
) => Promise<OutputsOf<O>>;

/** An implementation with its types forgotten, as the executor holds it: it checked wires and params against `def`. */
export interface NodeImpl {
  readonly def: NodeDef;
  run(
    ctx: RunContext,
    inputs: Readonly<Record<string, unknown>>,
    params: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, PortValue<PortKind> | undefined>>>;
}

export function implementNode<
  P extends z.ZodObject,
  I extends Record<string, InputPort>,
  O extends Record<string, OutputPort>,
>(def: NodeDef<P, I, O>, run: Run<P, I, O>): { readonly def: NodeDef<P, I, O>; readonly run: Run<P, I, O> } {
  return { def, run };
}
