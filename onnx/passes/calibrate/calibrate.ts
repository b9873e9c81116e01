/**
 * Calibration: runs a model on images and learns what range each activation takes, image by image, with constant
 * memory. Observes only the tensors that a quantizer will ask for.
 */
import type { Evaluator } from "../../evaluator.ts";
import { DataType } from "../../ir/dataType.ts";
import type { Model } from "../../ir/graph.ts";
import type { HostTensor, HostTensors } from "../../ir/hostTensor.ts";
import type { Histogram } from "../../kernels/clipRange.ts";
import { observedTensors } from "../quantize/carried.ts";
import { type Response, responseAfter } from "../quantize/response.ts";
import { CalibrationError } from "./calibrationError.ts";
import { type Coverage, coverageOf } from "./coverage.ts";
import { PiecewiseRun } from "./piecewiseRun.ts";
import {
  CANDIDATE_METHODS,
  type CalibrationMethod,
  type CalibrationTable,
  type ClipRange,
  calibrationOf,
  type TensorCalibration,
} from "./table.ts";
import { tensorCalibration } from "./tensorCalibration.ts";
import { type StatisticsState, TensorStatistics } from "./tensorStatistics.ts";

/** Bins of a histogram that is shown while it fills. */
const VIEW_BINS = 24;

interface Observed {
  readonly statistics: TensorStatistics;
  readonly response: Response | undefined;
}

/** How far a calibration came, as plain JSON. */
export interface CalibratorState {
  readonly images: number;
  /** By tensor name, without those that were empty on every image. */
  readonly tensors: Readonly<Record<string, StatisticsState>>;
}

export class Calibrator implements AsyncDisposable {
  images = 0;

  private constructor(
    private readonly run: PiecewiseRun,
    private readonly observed: readonly Observed[],
  ) {}

  /**
   * `model` as `prepareForQuantization` leaves it; `only` limits what is observed to these tensors. Throws
   * `CalibrationError` where nothing could be quantized.
   */
  static async open(
    model: Model,
    evaluator: Evaluator,
    { threads, only }: { threads?: number | undefined; only?: ReadonlySet<string> } = {},
  ): Promise<Calibrator> {
    const all = observedTensors(model.graph).filter(({ value }) => only?.has(value.name) ?? true);
    const observed = all.map(({ value, channelAxis }) => ({
      value,
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
    const computed = observed.filter(({ value }) => value.producer && !value.constant);
    const wanted = computed.map(({ value }) => value.name);
    for (const { value, statistics } of observed) {
      if (value.constant) statistics.add(await value.constant.floats(), value.constant.dims);
    }
    return new Calibrator(await PiecewiseRun.open(model, wanted, { evaluator, threads }), observed);
  }

  /** One image: the model's feeds by name. Reports call it `name`. */
  async observe(feeds: HostTensors, name?: string): Promise<void> {
    await this.run.run(feeds, (tensors) => {
      for (const { statistics } of this.observed) {
        const tensor = tensors[statistics.name];
        if (tensor) add(statistics, tensor, name);
      }
    });
    this.images++;
  }

  /**
   * The table of what was seen. `before` is the calibration of this model on other images, which go ahead of these;
   * `given` are ranges made elsewhere, by tensor name.
   */
  finish(
    method: CalibrationMethod | "auto",
    {
      before,
      given,
    }: { before?: CalibrationTable | undefined; given?: ReadonlyMap<string, ClipRange> | undefined } = {},
  ): { table: CalibrationTable; coverage: Coverage } {
    if (this.images === 0) {
      throw new CalibrationError("no-images", "no image came", "Wire a source with at least one image; 32 serve well.");
    }
    if (before) this.goOnFrom(before);
    const tensors: Record<string, TensorCalibration> = {};
    for (const { statistics, response } of this.observed) {
      // Where some ranges are given, no candidates compete with them.
      const alone = given && method === "auto" ? CANDIDATE_METHODS[0] : method;
      const choice = { method: alone, given: given?.get(statistics.name) };
      tensors[statistics.name] = tensorCalibration(statistics, response, choice);
    }
    const { images } = this;
    const table: CalibrationTable = {
      kind: "calibration",
      version: 1,
      method: given ? "given" : method,
      images,
      tensors,
    };
    return {
      table,
      coverage: coverageOf(
        this.observed.map(({ statistics }) => statistics),
        table,
      ),
    };
  }

  private goOnFrom(before: CalibrationTable): void {
    for (const { statistics } of this.observed) {
      const known = calibrationOf(before, statistics.name);
      if (!known) {
        throw new CalibrationError(
          "calibration-mismatch",
          `the calibration to go on from does not know the tensor "${statistics.name}"`,
          "Wire the calibration of this very model.",
        );
      }
      if (statistics.images > 0) statistics.precede(known, before.images);
    }
    this.images += before.images;
  }

  /** What `restore` takes as the state of each tensor, one after another: all together are megabytes. */
  *states(): Iterable<readonly [name: string, state: StatisticsState]> {
    for (const { statistics } of this.observed) {
      const state = statistics.state();
      if (state) yield [statistics.name, state];
    }
  }

  /** Stands where the states were taken, of the same model and the same images up to there. Throws where it cannot be one. */
  restore({ images, tensors }: CalibratorState): void {
    for (const { statistics } of this.observed) {
      const state = Object.hasOwn(tensors, statistics.name) ? tensors[statistics.name] : undefined;
      if (state) statistics.restore(state);
    }
    this.images = images;
  }

  /** How it stands: ranges that the last images left alone, and the histogram of the tensor that widened last. */
  view(): { settled: number; tensors: number; last: { name: string; histogram: Histogram; min: number; max: number } } {
    const all = this.observed.map(({ statistics }) => statistics);
    const last = all.reduce((a, b) => (b.settledAfter > a.settledAfter ? b : a));
    const settled = all.filter(({ settledAfter }) => settledAfter < this.images).length;
    const { name, min, max } = last;
    return { settled, tensors: all.length, last: { name, histogram: last.histogram.compact(VIEW_BINS), min, max } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run[Symbol.asyncDispose]();
  }
}

function add(statistics: TensorStatistics, tensor: HostTensor, name: string | undefined): void {
  if (tensor.dataType !== DataType.FLOAT || !(tensor.data instanceof Float32Array)) {
    throw new CalibrationError(
      "not-float",
      `"${statistics.name}" is not in 32-bit float`,
      "Calibrate the FP32 model, before any conversion to 16 bits.",
    );
  }
  statistics.add(tensor.data, tensor.dims, name);
}
