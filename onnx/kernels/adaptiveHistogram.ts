export interface HistogramState {
  readonly bins: number;
  readonly width: number;
  readonly first: number;
  /** Lattice index of `counts[0]`. */
  readonly from: number;
  readonly counts: readonly number[];
}

export interface Sampled {
  /** How many values one of the sample stands for. */
  readonly every: number;
  readonly tails: { readonly lo: number; readonly hi: number };
  /** All that lies below `tails.lo` or from `tails.hi` on. */
  readonly outside: Float32Array;
}

/**
 * A histogram whose range grows with the data in constant memory: where a value does not fit, bins double in width and
 * merge in pairs. Bins lie on a lattice through zero (bin k covers [k * width, (k + 1) * width)), so that merging is
 * exact and zero is always an edge. At least half of the bins span the range seen, once it has grown.
 */
export class AdaptiveHistogram {
  readonly counts: Float64Array;
  width = 0;
  /** Lattice index of the first bin. */
  first = 0;

  constructor(bins = 2048) {
    this.counts = new Float64Array(bins);
  }

  /** Makes room for [min, max]; call before `add`. */
  include(min: number, max: number): void {
    const span = Math.max(max, 0) - Math.min(min, 0);
    const bins = this.counts.length;
    if (this.width === 0) {
      if (span === 0) return;
      this.width = 2 ** Math.ceil(Math.log2((span * 1.001) / (bins - 2)));
      this.first = Math.floor(Math.min(min, 0) / this.width);
      return;
    }
    let [low, high] = this.occupied();
    const needed = () => [Math.min(low, Math.floor(min / this.width)), Math.max(high, Math.floor(max / this.width))];
    let [from, to] = needed();
    while (to - from + 1 > bins) {
      this.mergePairs();
      [low, high] = this.occupied();
      [from, to] = needed();
    }
    if (from < this.first) this.shift(from);
    else if (to >= this.first + bins) this.shift(to - bins + 1);
  }

  /** Counts values inside the included range; zeros of a tensor that is all zero are not counted. */
  add(data: Float32Array): void {
    if (this.width === 0) return;
    if (data.length < LANES_FROM * this.counts.length) this.addFew(data);
    else this.addWeighted(data, { weight: 1, from: 0, to: this.counts.length });
  }

  /**
   * Counts a tensor by a sample of it, each value for `every`, and by all of its values in the tails, as `tails` gave them
   * with the width that still is.
   */
  addSample(sample: Float32Array, { every, tails, outside }: Sampled): void {
    if (this.width === 0) return;
    const from = Math.max(0, Math.round(tails.lo / this.width) - this.first);
    const to = Math.min(this.counts.length, Math.round(tails.hi / this.width) - this.first);
    this.addWeighted(sample, { weight: every, from, to });
    this.addFew(outside);
  }

  /** Edges beyond which on either side lie no more than this share of what was counted. */
  tails(share: number): { lo: number; hi: number } {
    const { counts, first, width } = this;
    let total = 0;
    for (let k = 0; k < counts.length; k++) total += counts[k];
    let [lo, hi] = [0, counts.length];
    for (let sum = counts[lo]; sum <= share * total && lo < hi; sum += counts[++lo]);
    for (let sum = counts[hi - 1]; sum <= share * total && hi > lo; sum += counts[--hi - 1]);
    return { lo: (first + lo) * width, hi: (first + hi) * width };
  }

  private addFew(data: Float32Array): void {
    const { counts } = this;
    // Widths are powers of two, so the products are exact; the range is included, so no sum is negative or too large,
    // and truncation is floor.
    const scale = 1 / this.width;
    const offset = -this.first;
    for (let i = 0; i < data.length; i++) counts[(data[i] * scale + offset) | 0]++;
  }

  /** Counts what falls into the bins `from` to `to`, `weight` a value. */
  private addWeighted(data: Float32Array, { weight, from, to }: { weight: number; from: number; to: number }): void {
    const { counts } = this;
    const bins = counts.length;
    const scale = 1 / this.width;
    const offset = -this.first;
    // Neighbours often fall into one bin, and a processor waits for the last count of it: four counts of each bin.
    const lanes = lanesFor(bins);
    const whole = data.length & ~3;
    const [second, third, fourth] = [offset + bins, offset + 2 * bins, offset + 3 * bins];
    for (let i = 0; i < whole; i += 4) {
      lanes[(data[i] * scale + offset) | 0]++;
      lanes[(data[i + 1] * scale + second) | 0]++;
      lanes[(data[i + 2] * scale + third) | 0]++;
      lanes[(data[i + 3] * scale + fourth) | 0]++;
    }
    for (let i = whole; i < data.length; i++) lanes[(data[i] * scale + offset) | 0]++;
    for (let k = from; k < to; k++) {
      counts[k] += weight * (lanes[k] + lanes[k + bins] + lanes[k + 2 * bins] + lanes[k + 3 * bins]);
    }
  }

  /** Adds what another one counted, as `compact` gave it. Exact where its width is a power of two, as all here are. */
  addCounts({
    low,
    width,
    counts,
  }: {
    readonly low: number;
    readonly width: number;
    readonly counts: ArrayLike<number>;
  }) {
    if (!(width > 0) || counts.length === 0) return;
    if (this.width === 0) {
      this.width = width;
      this.first = Math.floor(Math.min(low, 0) / width);
    }
    while (this.width < width) this.mergePairs();
    this.include(low + width / 2, low + (counts.length - 0.5) * width);
    for (let i = 0; i < counts.length; i++) {
      this.counts[Math.floor((low + (i + 0.5) * width) / this.width) - this.first] += counts[i];
    }
  }

  /** All that is to be known of it, and of `restore` to take up. */
  state(): HistogramState {
    const [from, to] = this.occupied();
    const counts = Array.from(this.counts.subarray(from - this.first, to - this.first + 1));
    return { bins: this.counts.length, width: this.width, first: this.first, from, counts };
  }

  /** Takes up a state that `state` gave. Throws where it cannot be one. */
  restore({ bins, width, first, from, counts }: HistogramState): void {
    const at = from - first;
    if (bins !== this.counts.length || at < 0 || at + counts.length > bins) throw new RangeError("no such histogram");
    this.counts.fill(0);
    this.counts.set(counts, at);
    this.width = width;
    this.first = first;
  }

  /** Lattice indices of the first and the last bin in use; zero's bin counts as used. */
  private occupied(): [number, number] {
    const { counts, first } = this;
    let low = 0;
    let high = counts.length - 1;
    while (low < high && counts[low] === 0) low++;
    while (high > low && counts[high] === 0) high--;
    return [Math.min(first + low, 0), Math.max(first + high, 0)];
  }

  private mergePairs(): void {
    const { counts } = this;
    const merged = new Float64Array(counts.length);
    const first = Math.floor(this.first / 2);
    for (let i = 0; i < counts.length; i++) merged[Math.floor((this.first + i) / 2) - first] += counts[i];
    counts.set(merged);
    this.first = first;
    this.width *= 2;
  }

  private shift(first: number): void {
    const moved = new Float64Array(this.counts.length);
    for (let i = 0; i < moved.length; i++) {
      const from = first + i - this.first;
      if (from >= 0 && from < moved.length) moved[i] = this.counts[from];
    }
    this.counts.set(moved);
    this.first = first;
  }

  /** Bins in use, neighbours merged until at most `most` are left. */
  compact(most: number): { low: number; width: number; counts: number[] } {
    let [low, high] = this.occupied();
    let width = this.width;
    let counts: number[] = [];
    for (let k = low; k <= high; k++) counts.push(this.counts[k - this.first] ?? 0);
    while (counts.length > most) {
      const merged: number[] = [];
      const start = Math.floor(low / 2);
      for (let i = 0; i < counts.length; i++) {
        const k = Math.floor((low + i) / 2) - start;
        merged[k] = (merged[k] ?? 0) + counts[i];
      }
      counts = merged;
      low = start;
      width *= 2;
    }
    return { low: low * width, width, counts };
  }
}

/** Tensors of fewer values a bin than this are counted where they belong at once. */
const LANES_FROM = 4;
let scratch = new Uint32Array(0);

function lanesFor(bins: number): Uint32Array {
  if (scratch.length === 4 * bins) scratch.fill(0);
  else scratch = new Uint32Array(4 * bins);
  return scratch;
}
