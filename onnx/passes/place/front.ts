/** Measured points, those that no other beats in both speed and truth, and the one an objective takes. */
export interface Figures {
  /** CPU time of the given model over this one's; measured side by side, or estimated for a target that is not here. */
  readonly speedup: number;
  readonly ms: number;
  /** Of the given model's bytes. */
  readonly sizeShare: number;
  /** Of the worst output, on frames held back; absent where the outputs are equal. */
  readonly sqnrDb?: number | undefined;
  /** What is lost of the given model's quality, percent; see `Judge`. */
  readonly lossPercent: number;
  /** Its standard error: how far the frames leave it open. */
  readonly lossError: number;
  /** COCO's, where there are labels. */
  readonly mAP?: number | undefined;
}

export const OBJECTIVES = ["fastest", "truest"] as const;
export type Objective = (typeof OBJECTIVES)[number];

export interface Limits {
  readonly objective: Objective;
  /** `fastest`: of those that do not show to lose more (by a standard error), percent. */
  readonly maxLoss: number;
  /** `truest`: of those that take no more. */
  readonly maxMs: number;
}

/** Faster first. A point that is no faster, no truer and no smaller than another is not among them. */
export function frontOf<T extends Figures>(points: readonly T[]): readonly T[] {
  const beaten = (point: T) =>
    points.some(
      (other) =>
        other !== point &&
        other.speedup >= point.speedup &&
        truthOf(other) >= truthOf(point) &&
        other.sizeShare <= point.sizeShare &&
        (other.speedup > point.speedup || truthOf(other) > truthOf(point) || other.sizeShare < point.sizeShare),
    );
  return points.filter((point) => !beaten(point)).sort((a, b) => b.speedup - a.speedup);
}

/** Two measured times that differ by less are the same. */
const RESOLUTION = 0.01;
/** Two sizes likewise: what decides is whether weights are stored in 8 bits, not a few scales. */
const SAME_SIZE = 1.1;

/** Undefined where no point keeps the limit. */
export function choose<T extends Figures>(points: readonly T[], { objective, maxLoss, maxMs }: Limits): T | undefined {
  if (objective === "truest") {
    const [truest] = points.filter(({ ms }) => ms <= maxMs).sort((a, b) => truthOf(b) - truthOf(a));
    return truest && smallThenTrue(points.filter((point) => point.ms <= maxMs && truthOf(point) === truthOf(truest)));
  }
  const within = points.filter(({ lossPercent, lossError }) => lossPercent - lossError <= maxLoss);
  const fastest = Math.max(...within.map(({ speedup }) => speedup));
  return smallThenTrue(within.filter(({ speedup }) => speedup >= fastest * (1 - RESOLUTION)));
}

/** Of equals in speed the smallest, of equals in size the truest. */
function smallThenTrue<T extends Figures>(points: readonly T[]): T | undefined {
  const smallest = Math.min(...points.map(({ sizeShare }) => sizeShare));
  return points.filter(({ sizeShare }) => sizeShare <= smallest * SAME_SIZE).sort((a, b) => truthOf(b) - truthOf(a))[0];
}

/** Noise tells more than a loss, which few frames see in steps. */
function truthOf({ sqnrDb }: Figures): number {
  return sqnrDb ?? Number.POSITIVE_INFINITY;
}
