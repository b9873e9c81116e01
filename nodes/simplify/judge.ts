/**
 * Whether a rewritten model does what the original does: both are run on the same inputs, output by output, floats within
 * a tolerance, integers exactly.
 *
 * An output that is further off is excused where the original itself moves as far when its inputs move by a millionth of
 * their value (or not at all: random operators): then a tie was broken the other way, and no rewrite is at fault.
 */
import type { EvaluationSession, Evaluator } from "../../onnx/evaluator.ts";
import { DataType } from "../../onnx/ir/dataType.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import type { HostTensor, HostTensors } from "../../onnx/ir/hostTensor.ts";
import { opDef } from "../../onnx/ops/index.ts";
import { OutputComparison, type OutputDifference } from "../../onnx/passes/outputComparison.ts";
import { outputDifference } from "../../onnx/passes/outputDifference.ts";
import { mulberry32 } from "../../onnx/seededTensor.ts";

type Differences = Readonly<Record<string, OutputDifference>>;

export type Verdict =
  /** `ties` says of which outputs a difference was excused. */
  | { readonly kind: "same"; readonly outputs: Differences; readonly ties: readonly string[] }
  | { readonly kind: "wrong"; readonly what: string; readonly relative?: number }
  /** Nothing could be compared, and why; `wire` where other inputs would help. */
  | { readonly kind: "unseen"; readonly why: string; readonly wire: boolean };

export interface JudgeOptions {
  readonly original: Model;
  readonly items: readonly HostTensors[];
  /** Whether the items were wired in, so that it is an error where the original does not take them. */
  readonly given: boolean;
  readonly evaluator: Evaluator;
  readonly signal: AbortSignal;
}

/** Above this the rewrites changed more than the order of sums can. */
const TOLERANCE = 1e-5;
/** The same for outputs with 11 bits. */
const HALF_TOLERANCE = 5e-3;
const NUDGE = 2 ** -20;

export class Judge {
  readonly #options: JudgeOptions;
  readonly #evaluator: Evaluator;
  #own: Promise<Differences> | undefined;

  constructor(options: JudgeOptions) {
    this.#options = options;
    // The graphs themselves are compared, not what the runtime makes of them.
    const { evaluator } = options;
    this.#evaluator = { open: (model, more) => evaluator.open(model, { ...more, asWritten: true }) };
  }

  async of(candidate: Model): Promise<Verdict> {
    const { original, items, signal } = this.#options;
    if (items.length === 0) return this.#apart(candidate);
    try {
      return await this.#verdict(
        await outputDifference({ reference: original, candidate }, items, this.#evaluator, signal),
      );
    } catch {
      signal.throwIfAborted();
      return this.#apart(candidate);
    }
  }

  /** One after the other, to tell whose fault it is that they do not run as one. */
  async #apart(candidate: Model): Promise<Verdict> {
    const { original, items, given } = this.#options;
    const reference = await opened(this.#evaluator, original);
    if (typeof reference === "string") return unseen(unknownOperators(original) ?? reference, false);
    await using before = reference;
    const rewritten = await opened(this.#evaluator, candidate);
    if (typeof rewritten === "string") return { kind: "wrong", what: `the runtime refuses it: ${rewritten}` };
    await using after = rewritten;
    if (items.length === 0)
      return unseen(given ? "the stream is empty" : "no values can be made up for its inputs", true);
    const comparison = new OutputComparison();
    for (const item of items) {
      const expected = await ran(before, item);
      if (typeof expected === "string") {
        if (given) throw new Error(expected);
        return unseen(`it takes no made-up values (${expected})`, true);
      }
      const actual = await ran(after, item);
      if (typeof actual === "string") return { kind: "wrong", what: `it does not run: ${actual}` };
      for (const { name } of original.graph.outputs) comparison.add(name, expected[name], actual[name]);
    }
    return this.#verdict(comparison.differences);
  }

  async #verdict(outputs: Differences): Promise<Verdict> {
    const ties: string[] = [];
    for (const [name, difference] of Object.entries(outputs)) {
      if (this.#close(name, difference)) continue;
      const own = (await this.#movesBy())[name];
      if (!own || !asFar(own, difference)) {
        const { relative } = difference;
        return { kind: "wrong", what: `output "${name}" ${inWords(difference)}`, relative };
      }
      ties.push(`Output "${name}" ${inWords(difference)}, as it does by itself when the inputs move by a millionth.`);
    }
    return { kind: "same", outputs, ties };
  }

  #close(name: string, { relative, unequal = 0, mismatch }: OutputDifference): boolean {
    const type = this.#options.original.graph.outputs.find((value) => value.name === name)?.type?.elemType;
    const tolerance = type === DataType.FLOAT16 ? HALF_TOLERANCE : TOLERANCE;
    return mismatch === undefined && unequal === 0 && relative <= tolerance;
  }

  /** How far the original is from itself on inputs that are a millionth off. */
  #movesBy(): Promise<Differences> {
    this.#own ??= this.#nudged();
    return this.#own;
  }

  async #nudged(): Promise<Differences> {
    const { original, items } = this.#options;
    await using session = await this.#evaluator.open(original);
    const comparison = new OutputComparison();
    for (const item of items) {
      const expected = await session.run(item);
      // There and back: a value on the edge falls off it in one of two ways.
      for (const by of [NUDGE, -NUDGE]) {
        const moved = await session.run(nudge(item, by));
        for (const { name } of original.graph.outputs) comparison.add(name, expected[name], moved[name]);
      }
    }
    return comparison.differences;
  }
}

function unseen(why: string, wire: boolean): Verdict {
  return { kind: "unseen", why, wire };
}

function asFar(own: OutputDifference, { relative, unequal = 0, mismatch }: OutputDifference): boolean {
  if (mismatch !== undefined) return own.mismatch !== undefined;
  return relative <= Math.max(2 * own.relative, TOLERANCE) && unequal <= (own.unequal ?? 0);
}

function inWords({ relative, unequal = 0, elements = 0, mismatch }: OutputDifference): string {
  if (mismatch !== undefined) return `is another one: ${mismatch}`;
  if (unequal > 0) return `differs in ${unequal} of ${elements} elements`;
  return `differs by ${relative.toPrecision(2)} of its norm`;
}

async function opened(evaluator: Evaluator, model: Model): Promise<EvaluationSession | string> {
  try {
    return await evaluator.open(model);
  } catch (error) {
    return messageOf(error);
  }
}

async function ran(session: EvaluationSession, item: HostTensors): Promise<HostTensors | string> {
  try {
    return await session.run(item);
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Operators of which no runtime of plain ONNX knows, by name. */
function unknownOperators({ graph, functions }: Model): string | undefined {
  if (functions.length > 0) return undefined;
  const unknown = graph.nodes.filter(({ domain, opType }) => !opDef(domain, opType));
  const names = [...new Set(unknown.map(({ domain, opType }) => (domain ? `${domain}:${opType}` : opType)))];
  return names.length === 0 ? undefined : `the runtime does not know its operator ${names.join(", ")}`;
}

function nudge(item: HostTensors, by: number): HostTensors {
  const random = mulberry32(2);
  const factor = () => 1 + (random() < 0.5 ? by : -by);
  return Object.fromEntries(Object.entries(item).map(([name, tensor]) => [name, scaled(tensor, factor)]));
}

function scaled(tensor: HostTensor, factor: () => number): HostTensor {
  const { dataType, data } = tensor;
  if (dataType !== DataType.FLOAT || !(data instanceof Float32Array)) return tensor;
  return { ...tensor, data: data.map((x) => x * factor()) };
}
