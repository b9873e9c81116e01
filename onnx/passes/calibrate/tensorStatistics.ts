/** Everything that calibration keeps of one tensor while the images pass: constant memory, whatever their number. */
import { AdaptiveHistogram } from "../../kernels/adaptiveHistogram.ts";
import { addMoments, type ChannelMoments, newMoments } from "../../kernels/channelMoments.ts";
import { NON_FINITE_FIX } from "../nonFinite.ts";
import { CalibrationError } from "./calibrationError.ts";
import type { PerImage, TensorCalibration } from "./table.ts";

/** How often a range may still grow, by this share of its width, and count as settled. */
const SETTLED_GROWTH = 0.01;

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
  widest = { image: -1, bound: 0 };
  runnerUp = 0;
  #moments: (ChannelMoments & { perChannel: number }) | undefined;

  constructor(
    readonly name: string,
    private readonly channelAxis: 1 | -1,
  ) {}

  add(data: Float32Array, dims: readonly number[]): void {
    if (data.length === 0) return;
    const [channels, inner] = this.layout(dims);
    this.#moments ??= { ...newMoments(channels), perChannel: 0 };
    if (this.#moments.sum.length !== channels) {
      throw new CalibrationError(
        "channels-changed",
        `"${this.name}" had ${this.#moments.sum.length} channels, now ${channels}`,
        "Give every image the same size, and freeze the model's dynamic dimensions (inputShapes of load-model).",
      );
    }
    const { min, max, finite } = addMoments(data, channels, inner, this.#moments);
    if (!finite) {
      throw new CalibrationError(
        "not-finite",
        `"${this.name}" holds a NaN or an infinity on image ${this.images + 1}`,
        NON_FINITE_FIX,
      );
    }
    this.#moments.perChannel += data.length / channels;
    this.widen(min, max);
    this.histogram.include(min, max);
    this.histogram.add(data);
  }

  /**
   * Puts what was seen of the tensor on `images` images before what these statistics saw. The result is that of one pass
   * over all, up to the digits the table keeps, but for `settledAfter`, which may come out a little early.
   * Throws `CalibrationError` where the table does not tell enough.
   */
  precede(before: TensorCalibration, images: number): void {
    const { perImage, channels } = before;
    const moments = this.#moments;
    if (!perImage || !moments || channels.count === undefined || channels.mean.length !== moments.sum.length) {
      throw new CalibrationError(
        "cannot-go-on",
        `the calibration to go on from does not tell enough of "${this.name}"`,
        "Wire the calibration of this very model, made by this version from images of the same size.",
      );
    }
    const { count, mean, variance, min, max } = channels;
    for (const [c, m] of mean.entries()) {
      moments.sum[c] = (moments.sum[c] ?? 0) + m * count;
      moments.sumOfSquares[c] = (moments.sumOfSquares[c] ?? 0) + ((variance[c] ?? 0) + m * m) * count;
      moments.min[c] = Math.min(moments.min[c] ?? 0, min?.[c] ?? before.min);
      moments.max[c] = Math.max(moments.max[c] ?? 0, max?.[c] ?? before.max);
    }
    moments.perChannel += count;
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
    const here = { image: images + this.widest.image, bound: this.widest.bound };
    const isFirst = before.widest.bound >= here.bound;
    this.runnerUp = Math.max(this.runnerUp, before.runnerUp, isFirst ? here.bound : before.widest.bound);
    this.widest = isFirst ? before.widest : here;
  }

  perImage(): PerImage {
    const { images, widest, runnerUp } = this;
    return { meanMin: this.sumOfMin / images, meanMax: this.sumOfMax / images, widest, runnerUp };
  }

  /** Values, mean, variance and range of each channel. */
  channels(): { count: number; mean: number[]; variance: number[]; min: number[]; max: number[] } {
    const { sum, sumOfSquares, min, max, perChannel } = this.#moments ?? { ...newMoments(0), perChannel: 1 };
    const mean = Array.from(sum, (s) => s / perChannel);
    const variance = Array.from(sumOfSquares, (ss, c) => Math.max(0, ss / perChannel - (mean[c] ?? 0) ** 2));
    return { count: perChannel, mean, variance, min: [...min], max: [...max] };
  }

  private layout(dims: readonly number[]): [channels: number, inner: number] {
    const axis = this.channelAxis === 1 && dims.length > 2 ? 1 : dims.length - 1;
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    return [dims[axis] ?? 1, inner];
  }

  private widen(min: number, max: number): void {
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
      this.widest = { image, bound };
    } else if (bound > this.runnerUp) this.runnerUp = bound;
  }
}
