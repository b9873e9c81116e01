/**
 * Simplifies a model and lets pass only what computes the same. Where the result does not, the rewrite at fault is
 * searched among the rules that applied: of the first k rules in their order, the k at which the result goes wrong, by
 * halving. It is left out, and the rest is tried again. Where the operator set asked for is at fault, the newest below
 * it is taken. What remains wrong without any rule is not simplified at all.
 */
import { cloneModel } from "../../onnx/cloneModel.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import { type PassContext, PassError, type PassResult, runPasses } from "../../onnx/passes/pass.ts";
import { simplify, simplifyRules } from "../../onnx/passes/simplify/simplify.ts";
import { upgradeOpsetPass } from "../../onnx/passes/upgradeOpset.ts";
import type { Judge, Verdict } from "./judge.ts";

/** A rewrite that would have made another model of it. */
export interface LeftOut {
  readonly rule: string;
  /** How often it would have applied. */
  readonly count: number;
  readonly what: string;
  readonly relative?: number;
}

export interface Sound {
  readonly model: Model;
  readonly result: PassResult;
  /** Never `wrong`: where no rewrite is found at fault, the original comes back untouched. */
  readonly verdict: Exclude<Verdict, { kind: "wrong" }> | { readonly kind: "untouched"; readonly why: string };
  readonly leftOut: readonly LeftOut[];
}

export interface SoundOptions {
  readonly original: Model;
  /** 0 leaves it. */
  readonly opset: number;
  readonly judge: Pick<Judge, "of">;
  readonly ctx: PassContext;
  /** Told the first result before it is judged: it is nearly always the last. */
  readonly expect: (model: Model) => void;
}

interface Attempt {
  readonly model: Model;
  readonly result: PassResult;
  readonly verdict: Verdict;
}

const NOTHING: PassResult = { applied: {}, notes: [] };

export async function soundRewrites(options: SoundOptions): Promise<Sound> {
  const search = new Search(options);
  for (;;) {
    const attempt = await search.attempt(search.rules);
    const { verdict, model, result } = attempt;
    if (verdict.kind !== "wrong") return { model, result, verdict, leftOut: search.leftOut };
    if (await search.leaveOut(attempt)) continue;
    const untouched = { kind: "untouched" as const, why: verdict.what };
    return { model: options.original, result: NOTHING, verdict: untouched, leftOut: search.leftOut };
  }
}

class Search {
  readonly leftOut: LeftOut[] = [];
  #opset: number;
  #told = false;

  constructor(private readonly options: SoundOptions) {
    this.#opset = options.opset;
  }

  /** Names of the rules still in, each once, in their order. */
  get rules(): readonly string[] {
    const out = new Set(this.leftOut.map(({ rule }) => rule));
    return [...new Set(simplifyRules.map(({ name }) => name))].filter((name) => !out.has(name));
  }

  async attempt(names: readonly string[]): Promise<Attempt> {
    const { original, judge, ctx } = this.options;
    const model = cloneModel(original);
    const rules = simplifyRules.filter(({ name }) => names.includes(name));
    const upgrade = this.#opset === 0 ? [] : [upgradeOpsetPass(this.#opset)];
    try {
      const result = together(await runPasses(model, [...upgrade, simplify(rules)], ctx));
      if (!this.#told) this.options.expect(model);
      this.#told = true;
      return { model, result, verdict: await judge.of(model) };
    } catch (error) {
      if (!(error instanceof PassError)) throw error;
      return { model, result: NOTHING, verdict: { kind: "wrong", what: error.message } };
    }
  }

  /** False where none is found. */
  async leaveOut(failed: Attempt): Promise<boolean> {
    const { rules } = this;
    const applied = rules.filter((name) => failed.result.applied[name] !== undefined);
    const candidates = applied.length > 0 ? applied : rules;
    let [right, wrong] = [-1, candidates.length];
    let last = failed;
    while (wrong - right > 1) {
      const middle = Math.floor((right + wrong) / 2);
      const attempt = await this.attempt(candidates.slice(0, middle));
      if (attempt.verdict.kind === "wrong") [wrong, last] = [middle, attempt];
      else right = middle;
    }
    const rule = candidates[wrong - 1];
    if (rule === undefined) return this.#lowerOpset(last);
    this.leftOut.push(describe(rule, last));
    return true;
  }

  /** The newest set below the one asked for in which the model still is what it was; some runtimes lack an operator's. */
  async #lowerOpset(failed: Attempt): Promise<boolean> {
    if (this.#opset === 0) return false;
    this.leftOut.push(describe("upgrade-opset", failed));
    while (--this.#opset > this.options.original.opset) {
      const { verdict } = await this.attempt([]);
      if (verdict.kind !== "wrong") return true;
    }
    this.#opset = 0;
    return true;
  }
}

function describe(rule: string, { result, verdict }: Attempt): LeftOut {
  const counts = Object.entries(result.applied).filter(([name]) => name === rule || name.startsWith(`${rule}: `));
  const count = counts.reduce((sum, [, times]) => sum + times, 0);
  if (verdict.kind !== "wrong") return { rule, count, what: "it computes something else" };
  const { what, relative } = verdict;
  return { rule, count, what, ...(relative !== undefined && { relative }) };
}

/** Rewrites of the operator set are told from simplifications by their pass's name. */
function together(results: readonly (PassResult & { readonly pass: string })[]): PassResult {
  const applied = results.flatMap(({ pass, applied }) =>
    Object.entries(applied).map(([rule, count]) => [pass === "simplify" ? rule : `${pass}: ${rule}`, count] as const),
  );
  return { applied: Object.fromEntries(applied), notes: results.flatMap(({ notes }) => notes) };
}
