/**
 * What a pass over a model is, and the runner that holds each pass to its word: the conditions it requires are checked
 * before it, those it ensures and the graph itself (`verifyModel`) after it. A pass that breaks a model never gets by, and
 * constants that it stopped reading leave with it.
 */
import type { Evaluator } from "../evaluator.ts";
import type { Model } from "../ir/graph.ts";
import { verifyModel } from "../verify.ts";
import { dropUnreadEverywhere } from "./unreadInitializers.ts";

/** Why a rule did not apply to a node, for the node's report. `node` is the ONNX node's name. */
export interface PassNote {
  readonly node: string;
  readonly rule: string;
  readonly reason: string;
}

export interface PassResult {
  /** How often each rule was applied. */
  readonly applied: Readonly<Record<string, number>>;
  readonly notes: readonly PassNote[];
}

export interface PassContext {
  readonly signal?: AbortSignal;
  /** For passes that need numbers from a runtime; they declare the condition themselves. */
  readonly evaluator?: Evaluator;
  readonly progress?: (done: number, total?: number, unit?: string, message?: string) => void;
}

/** Something that must hold of a model, stated as a check: undefined where it holds, else what is wrong and where. */
export interface Condition {
  readonly name: string;
  readonly check: (model: Model, ctx: PassContext) => { readonly message: string; readonly fix: string } | undefined;
}

export interface Pass {
  /** kebab-case; names the pass in reports and errors. */
  readonly name: string;
  readonly requires?: readonly Condition[];
  readonly ensures?: readonly Condition[];
  /** Changes the model in place. */
  run(model: Model, ctx: PassContext): Promise<PassResult>;
}

/** A condition a pass requires does not hold, or a pass left a broken model (a bug of the pass). */
export class PassError extends Error {
  override readonly name = "PassError";
  constructor(
    readonly code: "pass-requires" | "pass-ensures" | "pass-broke-model",
    readonly pass: string,
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}

/** Runs the passes in order; throws a `PassError` at the first whose conditions or whose model do not hold. */
export async function runPasses(
  model: Model,
  passes: readonly Pass[],
  ctx: PassContext = {},
): Promise<readonly (PassResult & { readonly pass: string })[]> {
  const results: (PassResult & { pass: string })[] = [];
  for (const pass of passes) {
    ctx.signal?.throwIfAborted();
    holdTo("pass-requires", pass, model, ctx);
    const result = await pass.run(model, ctx);
    dropUnreadEverywhere(model.graph);
    const problem = verifyModel(model)[0];
    if (problem) {
      throw new PassError("pass-broke-model", pass.name, `${pass.name}: ${problem.message}`, problem.fix);
    }
    holdTo("pass-ensures", pass, model, ctx);
    results.push({ pass: pass.name, ...result });
  }
  return results;
}

function holdTo(code: "pass-requires" | "pass-ensures", pass: Pass, model: Model, ctx: PassContext): void {
  const conditions = code === "pass-requires" ? pass.requires : pass.ensures;
  for (const condition of conditions ?? []) {
    const broken = condition.check(model, ctx);
    if (broken) throw new PassError(code, pass.name, `${pass.name}: ${broken.message}`, broken.fix);
  }
}
