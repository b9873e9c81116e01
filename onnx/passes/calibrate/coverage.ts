/** Were the images enough? After how many the ranges stood still, which images alone stretched them, what is cut off. */
import type { CalibrationTable } from "./table.ts";
import type { TensorStatistics } from "./tensorStatistics.ts";

export interface Coverage {
  /** Images after which 95 % of the tensors had settled. */
  readonly settledAfter: number;
  /** Tensors that still grew on the last tenth of the images. */
  readonly unsettled: readonly string[];
  /** Images (by order, from 1) that alone stretched many tensors by more than a quarter. */
  readonly outliers: readonly {
    readonly image: number;
    readonly name?: string | undefined;
    readonly tensors: number;
  }[];
  /** Share of all values that the chosen ranges cut off, mean over the tensors. */
  readonly clipped: number;
}

/** An image that outdoes every other by this factor stretched the range alone. */
const ALONE = 1.25;
/** It is an outlier where it did so on this share of the tensors. */
const MANY = 0.1;

/** Digits that a mean of equal numbers may lose. */
const ROUNDING = 1e-9;

/** Whether several images came, and every one of them took each tensor over the same range: they tell of one alone. */
export function allAlike({ images, tensors }: CalibrationTable): boolean {
  const near = (a: number, b: number) => Math.abs(a - b) <= ROUNDING * Math.abs(b);
  const spans = Object.values(tensors).flatMap(({ min, max, perImage }) => (perImage ? [{ min, max, perImage }] : []));
  return (
    images > 1 &&
    spans.length > 0 &&
    spans.every(({ min, max, perImage }) => near(perImage.meanMin, min) && near(perImage.meanMax, max))
  );
}

export function coverageOf(statistics: readonly TensorStatistics[], table: CalibrationTable): Coverage {
  const settled = statistics.map((s) => s.settledAfter).sort((a, b) => a - b);
  const stretched = new Map<number, { readonly name?: string | undefined; readonly tensors: number }>();
  for (const { widest, runnerUp, images } of statistics) {
    if (images < 3 || widest.bound <= runnerUp * ALONE) continue;
    const tensors = (stretched.get(widest.image)?.tensors ?? 0) + 1;
    stretched.set(widest.image, { name: widest.name, tensors });
  }
  const clipped = Object.values(table.tensors).map((tensor) => tensor.clipped);
  return {
    settledAfter: settled[Math.ceil(settled.length * 0.95) - 1] ?? 0,
    unsettled: statistics.filter((s) => s.settledAfter > 0.9 * table.images).map((s) => s.name),
    outliers: [...stretched]
      .filter(([, { tensors }]) => tensors >= MANY * statistics.length)
      .map(([image, { name, tensors }]) => ({ image: image + 1, name, tensors }))
      .sort((a, b) => b.tensors - a.tensors),
    clipped: clipped.reduce((sum, share) => sum + share, 0) / clipped.length,
  };
}
