/** The float model's outputs on some frames, against which any number of quantized forms are held. */
import type { Evaluator } from "../../evaluator.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { sharesOfSpread } from "../../kernels/sharesOfSpread.ts";
import { NON_FINITE_FIX, nonFiniteName } from "../nonFinite.ts";
import { QuantizeError } from "./quantizeError.ts";
import { floatsOf, SqnrByName } from "./sqnrByName.ts";

export interface MeasuringContext {
  readonly evaluator: Evaluator;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, total: number, message: string) => void;
}

/**
 * SQNR of a model's outputs, dB; infinite where equal. Of each output the mean of noise over signal counts, frame by frame:
 * summed up first, one loud frame would speak for all; as a mean of decibels, frames with nothing in them, which are
 * easy, would outvote those that a model is made for.
 */
export interface OutputSqnr {
  /** Each output weighs the same. */
  readonly meanDb: number;
  readonly worstDb: number;
}

export class OutputReference {
  private constructor(
    private readonly frames: readonly { readonly feeds: HostTensors; readonly outputs: HostTensors }[],
    private readonly ctx: MeasuringContext,
  ) {}

  static async of(float: Model, frames: readonly HostTensors[], ctx: MeasuringContext): Promise<OutputReference> {
    await using session = await ctx.evaluator.open(float);
    const seen: { feeds: HostTensors; outputs: HostTensors }[] = [];
    for (const feeds of frames) {
      ctx.signal?.throwIfAborted();
      const outputs = await session.run(feeds);
      const broken = nonFiniteName(outputs);
      if (broken !== undefined) {
        const message = `the float model's output "${broken}" holds a NaN or an infinity on frame ${seen.length + 1}`;
        throw new QuantizeError("not-finite", message, NON_FINITE_FIX);
      }
      seen.push({ feeds, outputs });
    }
    return new OutputReference(seen, ctx);
  }

  /**
   * The `count` frames whose outputs lie furthest from the mean of all, and the feeds of the others: on a picture with
   * nothing in it a detector says the same whatever was done to it. The first ones where sizes differ.
   */
  telling(count: number): { readonly reference: OutputReference; readonly others: readonly HostTensors[] } {
    const far = new Float64Array(this.frames.length);
    for (const name of Object.keys(this.frames[0]?.outputs ?? {})) {
      const rows = this.frames.flatMap(({ outputs }) => (outputs[name] && floatsOf(outputs[name])) ?? []);
      if (rows.length === far.length)
        for (const [i, share] of sharesOfSpread(rows).entries()) far[i] = (far[i] ?? 0) + share;
    }
    const order = [...this.frames.keys()].sort((a, b) => (far[b] ?? 0) - (far[a] ?? 0));
    const taken = new Set(order.slice(0, count));
    const reference = new OutputReference(
      order.slice(0, count).flatMap((i) => this.frames[i] ?? []),
      this.ctx,
    );
    return { reference, others: this.frames.flatMap(({ feeds }, i) => (taken.has(i) ? [] : [feeds])) };
  }

  /**
   * On the first `most` frames; on fewer where after one it is plain that the mean over all cannot come above `toBeat`. It
   * is then told of those that were run.
   */
  async measure(
    model: Model,
    { most = this.frames.length, toBeat = Number.NEGATIVE_INFINITY }: { most?: number; toBeat?: number } = {},
  ): Promise<OutputSqnr> {
    await using session = await this.ctx.evaluator.open(model);
    const shares = new Map<string, number>();
    const frames = this.frames.slice(0, most);
    let run = 0;
    for (const { feeds, outputs } of frames) {
      this.ctx.signal?.throwIfAborted();
      const frame = new SqnrByName();
      frame.add(outputs, await session.run(feeds));
      for (const [name, db] of frame.result()) shares.set(name, (shares.get(name) ?? 0) + 10 ** (-db / 10));
      run++;
      // Shares of noise only add up. An output that has none so far may be the one without any.
      const known = Object.entries(outputs).every(([name, tensor]) => shares.has(name) || !floatsOf(tensor));
      if (known && inDecibels(shares, frames.length).meanDb <= toBeat) break;
    }
    return inDecibels(shares, run);
  }
}

/** Of sums over so many frames. */
function inDecibels(shares: ReadonlyMap<string, number>, frames: number): OutputSqnr {
  const all = [...shares.values()].map((sum) => -10 * Math.log10(sum / frames));
  if (all.length === 0) return { meanDb: Number.POSITIVE_INFINITY, worstDb: Number.POSITIVE_INFINITY };
  return { meanDb: all.reduce((sum, db) => sum + db, 0) / all.length, worstDb: Math.min(...all) };
}
