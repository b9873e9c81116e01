/**
 * What a model's outputs are worth. Where labels or decoders are at hand a node brings a judge that knows them; else the
 * outputs' noise speaks: its share of their energy is what is lost.
 */
import type { HostTensors } from "../../ir/hostTensor.ts";

export interface Verdict {
  /** Higher is better; of the given model too, so that losses are shares of it. */
  readonly quality: number;
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

/** Percent that is lost of a quality; what gains loses nothing. */
export function lossOf(quality: number, of: number): number {
  return of > 0 ? Math.max(0, 100 * (1 - quality / of)) : 0;
}
