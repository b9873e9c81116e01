/**
 * What a model's outputs are worth. Where labels or decoders are at hand a node brings a judge that knows them; else the
 * outputs' noise speaks: its share of their energy is what is lost.
 */
import type { HostTensors } from "../../ir/hostTensor.ts";

export interface Verdict {
  /** Higher is better; of the given model too, so that losses are shares of it. */
  readonly quality: number;
  /** The same of resampled frames (bootstrap), the same samples for every model: how sure a difference is. */
  readonly resampled: readonly number[];
  /** COCO's, where there are labels. */
  readonly mAP?: number;
}

export interface Judge {
  /** `mAP` by labels, `expected mAP` without: see the node. */
  readonly measure: string;
  judge(run: (feeds: HostTensors) => Promise<HostTensors>): Promise<Verdict>;
}

/** Percent that noise of this SQNR is of the outputs' energy; 0 where they are equal. */
export function noisePercent(sqnrDb: number): number {
  return 100 * 10 ** (-sqnrDb / 10);
}

/** What is lost of the given model's quality, percent (what gains loses nothing), with its standard error. */
export function lossOf(verdict: Verdict, given: Verdict): { lossPercent: number; lossError: number } {
  const percent = (quality: number, of: number) => (of > 0 ? 100 * (1 - quality / of) : 0);
  const losses = verdict.resampled.map((quality, i) => percent(quality, given.resampled[i] ?? 0));
  const mean = losses.reduce((sum, x) => sum + x, 0) / Math.max(1, losses.length);
  const variance = losses.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, losses.length - 1);
  return { lossPercent: Math.max(0, percent(verdict.quality, given.quality)), lossError: Math.sqrt(variance) };
}
