/** From what was seen of a tensor to its entry in the table: the range, what it costs, and what later passes read. */
import type { Response } from "../quantize/response.ts";
import { RangeChooser } from "./chooseRange.ts";
import {
  CANDIDATE_METHODS,
  type CalibrationMethod,
  type CandidateMethod,
  type ClipRange,
  type TensorCalibration,
} from "./table.ts";
import type { TensorStatistics } from "./tensorStatistics.ts";

/** Bins of a histogram in the artifact: enough for a clip, small enough for JSON. */
const STORED_BINS = 1024;

/** A range made elsewhere stands as it is; without one the method chooses, and `auto` keeps every candidate. */
export interface RangeChoice {
  readonly method: CalibrationMethod | "auto";
  readonly given?: ClipRange | undefined;
}

export function tensorCalibration(
  stats: TensorStatistics,
  response: Response | undefined,
  choice: RangeChoice,
): TensorCalibration {
  if (stats.images === 0) return unseen;
  const histogram = stats.histogram.compact(STORED_BINS);
  const { min, max } = stats;
  const { meanMin, meanMax } = stats.perImage();
  const chooser = new RangeChooser({ min, max, meanMin, meanMax, histogram, response: response?.of });
  const { ranges, range } = chosenRange(chooser, choice, min);
  const { count, ...channels } = stats.channels();
  return {
    min,
    max,
    ...range,
    ...(ranges && { ranges }),
    sqnrDb: rounded(chooser.sqnrDb(range)),
    clipped: short(shareOutside(histogram, range)),
    ...(response && { response: response.name }),
    histogram,
    channels: {
      count,
      mean: channels.mean.map(short),
      variance: channels.variance.map(short),
      min: channels.min.map(short),
      max: channels.max.map(short),
    },
    settledAfter: stats.settledAfter,
    perImage: stats.perImage(),
  };
}

/** Of a tensor that was empty on every image. */
const unseen: TensorCalibration = {
  min: 0,
  max: 0,
  lo: 0,
  hi: 0,
  bound: 0,
  clipped: 0,
  histogram: { low: 0, width: 0, counts: [] },
  channels: { mean: [], variance: [] },
  settledAfter: 0,
};

interface Chosen {
  readonly range: ClipRange;
  readonly ranges?: TensorCalibration["ranges"];
}

function chosenRange(chooser: RangeChooser, { method, given }: RangeChoice, min: number): Chosen {
  // Tables of symmetric scales know no sign: what was never negative needs no negative values.
  if (given) return { range: { ...given, lo: min < 0 ? given.lo : Math.max(0, given.lo) } };
  if (method === "auto") return rangesOf(chooser);
  return { range: shortRange(chooser.by(method)) };
}

function rangesOf(chooser: RangeChooser): Chosen {
  const by = (method: CandidateMethod) => shortRange(chooser.by(method));
  const ranges = {
    mse: by("mse"),
    "lp-norm": by("lp-norm"),
    percentile: by("percentile"),
    "moving-average": by("moving-average"),
    minmax: by("minmax"),
    entropy: by("entropy"),
  } satisfies TensorCalibration["ranges"];
  return { ranges, range: ranges[CANDIDATE_METHODS[0]] };
}

function shortRange({ lo, hi, bound }: ClipRange): ClipRange {
  return { lo: short(lo), hi: short(hi), bound: short(bound) };
}

/** Six digits: what f32 holds, at a third of the JSON. */
function short(x: number): number {
  return Number(x.toPrecision(6));
}

function shareOutside(histogram: TensorCalibration["histogram"], { lo, hi }: { lo: number; hi: number }): number {
  let outside = 0;
  let total = 0;
  for (const [i, count] of histogram.counts.entries()) {
    const centre = histogram.low + (i + 0.5) * histogram.width;
    total += count;
    if (centre < lo || centre > hi) outside += count;
  }
  return total === 0 ? 0 : outside / total;
}

function rounded({ asymmetric, symmetric }: { asymmetric: number | undefined; symmetric: number | undefined }) {
  return {
    ...(asymmetric !== undefined && { asymmetric: short(asymmetric) }),
    ...(symmetric !== undefined && { symmetric: short(symmetric) }),
  };
}
