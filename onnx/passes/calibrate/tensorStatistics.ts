/**
 * Everything that calibration keeps of one tensor while the images pass: constant memory, whatever their number.
 *
 * Ranges, means and variances are exact, and so is the histogram in both tails, where a range is cut off. In between the
 * histogram is of a sample of each image, spread evenly over each channel's plane: neighbours in a picture say nearly the
 * same, and images differ from each other by far more than a sample from its image. Of n values drawn at random, no share
 * read off the histogram is wrong by more than sqrt(ln(2 / d) / 2n) but with probability d (Dvoretzky, Kiefer and
 * Wolfowitz, with Massart's constant): by 0.0032 after 32 images with d = 0.01.
 */
import { AdaptiveHistogram, type HistogramState } from "../../kernels/adaptiveHistogram.ts";
import { addTensor, type ChannelStatistics, NO_TAILS, newChannels } from "../../kernels/channelStatistics.ts";
import { everyNth } from "../../kernels/everyNth.ts";
import { NON_FINITE_FIX } from "../nonFinite.ts";
import { CalibrationError } from "./calibrationError.ts";
import type { PerImage, TensorCalibration } from "./table.ts";

/** How often a range may still grow, by this share of its width, and count as settled. */
const SETTLED_GROWTH = 0.01;
/** Values of a tensor, about, that stand for one image. */
const SAMPLE = 2 ** 13;
/** A channel stands in it by no fewer values of an image than this, where it has them. */
const LEAST_OF_CHANNEL = 128;
/** Share of all values on either side that is counted without exception. */
const TAIL = 0.003;

/** All of it as plain JSON, for who must stop and go on later. */
export interface StatisticsState {
  readonly images: number;
  readonly min: number;
  readonly max: number;
  readonly sumOfMin: number;
  readonly sumOfMax: number;
  readonly settledAfter: number;
  readonly widest: PerImage["widest"];
  readonly runnerUp: number;
  readonly histogram: HistogramState;
  readonly channels: {
    readonly perChannel: number;
    readonly sum: readonly number[];
    readonly sumOfSquares: readonly number[];
    readonly min: readonly number[];
    readonly max: readonly number[];
  };
}

export class TensorStatistics {
  readonly histogram = new AdaptiveHistogram();
  images = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  /** Sums of each image's smallest and largest value. */
  sumOfMin = 0;
  sumOfMax = 0;
  settledAfter = 0;
  /** The widest image by largest |x|, and the largest |x| of all the others. */
  widest: PerImage["widest"] = { image: -1, bound: 0 };
  runnerUp = 0;
  #channels: (ChannelStatistics & { perChannel: number }) | undefined;

  constructor(
    readonly name: string,
    private readonly channelAxis: 1 | -1,
  ) {}

  /** One image's; `name` is that of the image. */
  add(data: Float32Array, dims: readonly number[], name?: string): void {
    if (data.length === 0) return;
    const [count, inner] = this.layout(dims);
    this.#channels ??= { ...newChannels(count), perChannel: 0 };
    const channels = this.#channels;
    if (channels.sum.length !== count) {
      throw new CalibrationError(
        "channels-changed",
        `"${this.name}" had ${channels.sum.length} channels, now ${count}`,
        "Give every image the same size, and freeze the model's dynamic dimensions (inputShapes of load-model).",
      );
    }
    const every = strideOf(data.length, inner, dims.at(-1) ?? 1);
    const binWidth = this.histogram.width;
    const tails = every > 1 && binWidth > 0 ? this.histogram.tails(TAIL) : NO_TAILS;
    const { min, max, finite, outside } = addTensor(data, inner, channels, tails);
    if (!finite) {
      throw new CalibrationError(
        "not-finite",
        `"${this.name}" holds a NaN or an infinity on image ${this.images + 1}${name === undefined ? "" : ` (${name})`}`,
        NON_FINITE_FIX,
      );
    }
    channels.perChannel += data.length / count;
    const from = this.images;
    this.widen(min, max, name);
    this.histogram.include(min, max);
    // Wider bins are others than those the tails began at.
    if (every === 1 || this.histogram.width !== binWidth) this.histogram.add(data);
    else this.histogram.addSample(everyNth(data, { inner, every, from }), { every, tails, outside });
  }

  /**
   * Puts what was seen of the tensor on `images` images before what these statistics saw. The result is that of one pass
   * over all, up to the digits the table keeps, but for `settledAfter`, which may come out a little early.
   * Throws `CalibrationError` where the table does not tell enough.
   */
  precede(before: TensorCalibration, images: number): void {
    const { perImage, channels } = before;
    const own = this.#channels;
    if (!perImage || !own || channels.count === undefined || channels.mean.length !== own.sum.length) {
      throw new CalibrationError(
        "cannot-go-on",
        `the calibration to go on from does not tell enough of "${this.name}"`,
        "Wire the calibration of this very model, made by this version from images of the same size.",
      );
    }
    const { count, mean, variance, min, max } = channels;
    for (const [c, m] of mean.entries()) {
      own.sum[c] = (own.sum[c] ?? 0) + m * count;
      own.sumOfSquares[c] = (own.sumOfSquares[c] ?? 0) + ((variance[c] ?? 0) + m * m) * count;
      own.min[c] = Math.min(own.min[c] ?? 0, min?.[c] ?? before.min);
      own.max[c] = Math.max(own.max[c] ?? 0, max?.[c] ?? before.max);
    }
    own.perChannel += count;
    this.histogram.addCounts(before.histogram);
    this.precedeRange({ ...before, ...perImage }, images);
  }

  private precedeRange(before: PerImage & Pick<TensorCalibration, "min" | "max" | "settledAfter">, images: number) {
    this.images += images;
    this.sumOfMin += before.meanMin * images;
    this.sumOfMax += before.meanMax * images;
    this.min = Math.min(this.min, before.min);
    this.max = Math.max(this.max, before.max);
    const grew = this.max - this.min > (before.max - before.min) * (1 + SETTLED_GROWTH);
    this.settledAfter = grew ? images + this.settledAfter : before.settledAfter;
    const here = { ...this.widest, image: images + this.widest.image };
    const isFirst = before.widest.bound >= here.bound;
    this.runnerUp = Math.max(this.runnerUp, before.runnerUp, isFirst ? here.bound : before.widest.bound);
    this.widest = isFirst ? before.widest : here;
  }

  /** Undefined before anything was seen. */
  state(): StatisticsState | undefined {
    if (!this.#channels) return undefined;
    const { perChannel, sum, sumOfSquares, min, max } = this.#channels;
    return {
      images: this.images,
      min: this.min,
      max: this.max,
      sumOfMin: this.sumOfMin,
      sumOfMax: this.sumOfMax,
      settledAfter: this.settledAfter,
      widest: this.widest,
      runnerUp: this.runnerUp,
      histogram: this.histogram.state(),
      channels: { perChannel, sum: [...sum], sumOfSquares: [...sumOfSquares], min: [...min], max: [...max] },
    };
  }

  /** Stands where `state` was taken. Throws where it cannot be one. */
  restore({ histogram, channels, ...scalars }: StatisticsState): void {
    const count = channels.sum.length;
    for (const list of [channels.sumOfSquares, channels.min, channels.max]) {
      if (list.length !== count) throw new RangeError("channels of different number");
    }
    this.histogram.restore(histogram);
    this.#channels = {
      perChannel: channels.perChannel,
      sum: Float64Array.from(channels.sum),
      sumOfSquares: Float64Array.from(channels.sumOfSquares),
      min: Float64Array.from(channels.min),
      max: Float64Array.from(channels.max),
    };
    Object.assign(this, scalars);
  }

  perImage(): PerImage {
    const { images, widest, runnerUp } = this;
    return { meanMin: this.sumOfMin / images, meanMax: this.sumOfMax / images, widest, runnerUp };
  }

  /** Values, mean, variance and range of each channel. */
  channels(): { count: number; mean: number[]; variance: number[]; min: number[]; max: number[] } {
    const { sum, sumOfSquares, min, max, perChannel } = this.#channels ?? { ...newChannels(0), perChannel: 1 };
    const mean = Array.from(sum, (s) => s / perChannel);
    const variance = Array.from(sumOfSquares, (ss, c) => Math.max(0, ss / perChannel - (mean[c] ?? 0) ** 2));
    return { count: perChannel, mean, variance, min: [...min], max: [...max] };
  }

  private layout(dims: readonly number[]): [channels: number, inner: number] {
    const axis = this.channelAxis === 1 && dims.length > 2 ? 1 : dims.length - 1;
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    return [dims[axis] ?? 1, inner];
  }

  private widen(min: number, max: number, name: string | undefined): void {
    const image = this.images++;
    this.sumOfMin += min;
    this.sumOfMax += max;
    const before = this.max - this.min;
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
    if (!(this.max - this.min <= before * (1 + SETTLED_GROWTH))) this.settledAfter = image + 1;
    const bound = Math.max(Math.abs(min), Math.abs(max));
    if (bound > this.widest.bound) {
      this.runnerUp = this.widest.bound;
      this.widest = { image, bound, ...(name !== undefined && { name }) };
    } else if (bound > this.runnerUp) this.runnerUp = bound;
  }
}

/** Every how many values of a plane one is taken: nothing that divides its width, so that no column is left out. */
function strideOf(length: number, inner: number, width: number): number {
  let every = Math.max(1, Math.min(Math.floor(length / SAMPLE), Math.floor(inner / LEAST_OF_CHANNEL)));
  while (commonDivisor(every, width) > 1) every++;
  return every;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
