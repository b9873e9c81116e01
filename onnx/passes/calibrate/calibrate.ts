/**
 * Calibration: runs a model on images and learns what range each activation takes, image by image, with constant
 * memory. Observes only the tensors that a quantizer will ask for.
 */
import type { Evaluator } from "../../evaluator.ts";
import { DataType } from "../../ir/dataType.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensor, HostTensors } from "../../ir/hostTensor.ts";
import { observedTensors } from "../quantize/carried.ts";
import { type Response, responseAfter } from "../quantize/response.ts";
import { CalibrationError } from "./calibrationError.ts";
import { RangeChooser } from "./chooseRange.ts";
import { type Coverage, coverageOf } from "./coverage.ts";
import { PiecewiseRun } from "./piecewiseRun.ts";
import {
  CANDIDATE_METHODS,
  type CalibrationMethod,
  type CalibrationTable,
  type CandidateMethod,
  type ClipRange,
  type TensorCalibration,
} from "./table.ts";
import { TensorStatistics } from "./tensorStatistics.ts";

/** Bins of a histogram in the artifact: enough for a clip, small enough for JSON. */
const STORED_BINS = 1024;

interface Observed {
  readonly statistics: TensorStatistics;
  readonly response: Response | undefined;
}

export class Calibrator implements AsyncDisposable {
  images = 0;

  private constructor(
    private readonly run: PiecewiseRun,
    private readonly observed: readonly Observed[],
  ) {}

  /** `model` as `prepareForQuantization` leaves it. Throws `CalibrationError` where nothing could be quantized. */
  static async open(model: Model, evaluator: Evaluator, threads?: number): Promise<Calibrator> {
    const observed = observedTensors(model.graph).map(({ value, channelAxis }) => ({
      statistics: new TensorStatistics(value.name, channelAxis),
      response: responseAfter(value),
    }));
    if (observed.length === 0) {
      throw new CalibrationError(
        "nothing-to-quantize",
        "the model has no layer with a constant 32-bit float weight (Conv, ConvTranspose, MatMul, Gemm)",
        "A model that is quantized or in 16 bits already cannot be calibrated: start from the FP32 one.",
      );
    }
    const inputs = new Set(model.graph.feeds.map((value) => value.name));
    const alsoReturn = observed.map(({ statistics }) => statistics.name).filter((name) => !inputs.has(name));
    return new Calibrator(await PiecewiseRun.open(model, alsoReturn, { evaluator, threads }), observed);
  }

  /** One image: the model's feeds by name. */
  async observe(feeds: HostTensors): Promise<void> {
    await this.run.run(feeds, (tensors) => {
      for (const { statistics } of this.observed) {
        const tensor = tensors[statistics.name];
        if (tensor) add(statistics, tensor);
      }
    });
    this.images++;
  }

  /** `auto` keeps the range of every candidate. */
  finish(method: CalibrationMethod | "auto"): { table: CalibrationTable; coverage: Coverage } {
    if (this.images === 0) {
      throw new CalibrationError("no-images", "no image came", "Wire a source with at least one image; 32 serve well.");
    }
    const tensors: Record<string, TensorCalibration> = {};
    for (const { statistics, response } of this.observed) {
      tensors[statistics.name] = summary(statistics, response, method);
    }
    const table: CalibrationTable = { kind: "calibration", version: 1, method, images: this.images, tensors };
    return {
      table,
      coverage: coverageOf(
        this.observed.map(({ statistics }) => statistics),
        table,
      ),
    };
  }

  /** Histograms as they stand, for a live view. */
  histogramOf(name: string): { low: number; width: number; counts: number[] } | undefined {
    return this.observed.find(({ statistics }) => statistics.name === name)?.statistics.histogram.compact(64);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run[Symbol.asyncDispose]();
  }
}

function add(statistics: TensorStatistics, tensor: HostTensor): void {
  if (tensor.dataType !== DataType.FLOAT || !(tensor.data instanceof Float32Array)) {
    throw new CalibrationError(
      "not-float",
      `"${statistics.name}" is not in 32-bit float`,
      "Calibrate the FP32 model, before any conversion to 16 bits.",
    );
  }
  statistics.add(tensor.data, tensor.dims);
}

function summary(
  stats: TensorStatistics,
  response: Response | undefined,
  method: CalibrationMethod | "auto",
): TensorCalibration {
  const histogram = stats.histogram.compact(STORED_BINS);
  const { min, max } = stats;
  const chooser = new RangeChooser({
    min,
    max,
    meanMin: stats.sumOfMin / stats.images,
    meanMax: stats.sumOfMax / stats.images,
    histogram,
    response: response?.of,
  });
  const { ranges, range } =
    method === "auto" ? rangesOf(chooser) : { ranges: undefined, range: shortRange(chooser.by(method)) };
  const channels = stats.channels();
  return {
    min,
    max,
    ...range,
    ...(ranges && { ranges }),
    clipped: short(shareOutside(histogram, range)),
    ...(response && { response: response.name }),
    histogram,
    channels: {
      mean: channels.mean.map(short),
      variance: channels.variance.map(short),
      min: channels.min.map(short),
      max: channels.max.map(short),
    },
    settledAfter: stats.settledAfter,
  };
}

function rangesOf(chooser: RangeChooser) {
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
