/** The float model's outputs on some frames, against which any number of quantized forms are held. */
import type { Evaluator } from "../../evaluator.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensors } from "../../ir/hostTensor.ts";
import { NON_FINITE_FIX, nonFiniteName } from "../nonFinite.ts";
import { QuantizeError } from "./quantizeError.ts";
import { SqnrByName } from "./sqnrByName.ts";

export interface MeasuringContext {
  readonly evaluator: Evaluator;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, total: number, message: string) => void;
}

/** SQNR of a model's outputs, dB, the mean over the frames: pooled, one loud frame would speak for all. Infinite where equal. */
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

  /** On the first `most` frames. */
  async measure(model: Model, most = this.frames.length): Promise<OutputSqnr> {
    await using session = await this.ctx.evaluator.open(model);
    const frames = new Map<string, number[]>();
    for (const { feeds, outputs } of this.frames.slice(0, most)) {
      this.ctx.signal?.throwIfAborted();
      const frame = new SqnrByName();
      frame.add(outputs, await session.run(feeds));
      for (const [name, db] of frame.result()) frames.set(name, [...(frames.get(name) ?? []), db]);
    }
    const all = [...frames.values()].map(mean);
    if (all.length === 0) return { meanDb: Number.POSITIVE_INFINITY, worstDb: Number.POSITIVE_INFINITY };
    return { meanDb: mean(all), worstDb: Math.min(...all) };
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
