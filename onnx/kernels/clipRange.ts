/**
 * Where to clip a tensor before it is quantized, chosen from its histogram. All ranges contain zero, which every
 * quantizer must represent exactly.
 */

/** Counts of values in [low + i * width, low + (i + 1) * width). */
export interface Histogram {
  readonly low: number;
  readonly width: number;
  readonly counts: ArrayLike<number>;
}

export interface Range {
  readonly lo: number;
  readonly hi: number;
}

/** The range without the outermost share of values on each side: `share` 1e-4 keeps 99.99 % of both tails together. */
export function percentileRange(histogram: Histogram, share: number): Range {
  const { low, width, counts } = histogram;
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i];
  const cut = (total * share) / 2;
  let first = 0;
  for (let sum = counts[0]; first < counts.length - 1 && sum <= cut; sum += counts[++first]);
  let last = counts.length - 1;
  for (let sum = counts[last]; last > 0 && sum <= cut; sum += counts[--last]);
  return { lo: Math.min(0, low + first * width), hi: Math.max(0, low + (last + 1) * width) };
}

/**
 * The threshold T of |x| at which the clipped and quantized distribution loses the least information: the smallest
 * Kullback-Leibler divergence of `levels` buckets from the histogram of |x| whose tail is gathered in the last bin
 * (Migacz, "8-bit inference with TensorRT", GTC 2017).
 */
export function entropyThreshold(histogram: Histogram, levels: number): number {
  const folded = foldedCounts(histogram);
  const n = folded.length;
  if (n <= levels) return n * histogram.width;
  let tail = 0;
  for (let i = levels; i < n; i++) tail += folded[i];
  let best = n;
  let least = Infinity;
  for (let size = levels; size <= n; size++) {
    const divergence = divergenceAt(folded, size, tail, levels);
    if (divergence < least) {
      least = divergence;
      best = size;
    }
    tail -= folded[size] ?? 0;
  }
  return best * histogram.width;
}

/** Counts of |x|; bins of both signs lie on one lattice through zero. */
function foldedCounts({ low, width, counts }: Histogram): Float64Array {
  const first = Math.round(low / width);
  const folded = new Float64Array(Math.max(first + counts.length, -first, 1));
  for (let i = 0; i < counts.length; i++) {
    const k = first + i;
    folded[k >= 0 ? k : -k - 1] += counts[i];
  }
  return folded;
}

function divergenceAt(counts: Float64Array, size: number, tail: number, levels: number): number {
  let total = tail;
  for (let i = 0; i < size; i++) total += counts[i];
  if (total === 0) return Infinity;
  const kept = total - tail;
  if (kept === 0) return Infinity;
  let divergence = 0;
  for (let level = 0; level < levels; level++) {
    const from = Math.floor((level * size) / levels);
    const to = Math.floor(((level + 1) * size) / levels);
    let sum = 0;
    let used = 0;
    for (let i = from; i < to; i++) {
      sum += counts[i];
      if (counts[i] > 0) used++;
    }
    for (let i = from; i < to; i++) {
      const p = (counts[i] + (i === size - 1 ? tail : 0)) / total;
      if (p === 0) continue;
      // A quantized distribution without mass where the reference has some diverges without bound: a small floor.
      const q = counts[i] > 0 ? sum / used / kept : 1e-12;
      divergence += p * Math.log(p / q);
    }
  }
  return divergence;
}

/** The histogram seen through a function: running sums of counts, of f, f^2 and f'^2 up to each bin's upper edge. */
export interface ResponseSums {
  readonly histogram: Histogram;
  /** f at the bins' edges: one more than bins. */
  readonly atEdge: Float64Array;
  readonly count: Float64Array;
  readonly f: Float64Array;
  readonly ff: Float64Array;
  readonly slope: Float64Array;
}

export function responseSums(histogram: Histogram, response: (x: number) => number): ResponseSums {
  const { low, width, counts } = histogram;
  const n = counts.length;
  const [atEdge, count, f, ff, slope] = Array.from({ length: 5 }, () => new Float64Array(n + 1));
  for (let i = 0; i <= n; i++) atEdge[i] = response(low + i * width);
  for (let i = 0; i < n; i++) {
    const c = counts[i];
    const y = response(low + (i + 0.5) * width);
    const d = (atEdge[i + 1] - atEdge[i]) / width;
    count[i + 1] = count[i] + c;
    f[i + 1] = f[i] + c * y;
    ff[i + 1] = ff[i] + c * y * y;
    slope[i + 1] = slope[i] + c * d * d;
  }
  return { histogram, atEdge, count, f, ff, slope };
}

/**
 * Mean squared error of f(q(x)) where q clips to bin edges `from`..`to` and rounds with `step`: rounding gives
 * step^2 / 12 times f'^2 inside, clipping the difference to f at the edge outside.
 */
export function clipError(sums: ResponseSums, from: number, to: number, step: number): number {
  const { atEdge, count, f, ff, slope } = sums;
  const n = count.length - 1;
  const total = count[n];
  if (total === 0) return 0;
  const [a, b] = [atEdge[from], atEdge[to]];
  const below = ff[from] - 2 * a * f[from] + a * a * count[from];
  const above = ff[n] - ff[to] - 2 * b * (f[n] - f[to]) + b * b * (total - count[to]);
  return (below + above + ((step * step) / 12) * (slope[to] - slope[from])) / total;
}

/** Edges tried: every one where there are few, else `most` of them at even steps. */
function* edges(from: number, to: number, most: number): Generator<number> {
  const steps = Math.max(1, Math.min(most, Math.abs(to - from)));
  for (let i = 0; i <= steps; i++) yield Math.round(from + ((to - from) * i) / steps);
}

/** The range with the least `clipError` for `levels` values between its ends. */
export function leastErrorRange(sums: ResponseSums, levels: number): Range {
  const { low, width, counts } = sums.histogram;
  const zero = Math.min(Math.max(Math.round(-low / width), 0), counts.length);
  let best = { from: 0, to: counts.length, error: Infinity };
  for (const from of edges(0, zero, 128)) {
    for (const to of edges(counts.length, zero, 128)) {
      if (to <= from) continue;
      const error = clipError(sums, from, to, ((to - from) * width) / (levels - 1));
      if (error < best.error) best = { from, to, error };
    }
  }
  return { lo: Math.min(0, low + best.from * width), hi: Math.max(0, low + best.to * width) };
}

/** The threshold T with the least error for `levels` values between -T and T. */
export function leastErrorThreshold(sums: ResponseSums, levels: number): number {
  const { low, width, counts } = sums.histogram;
  const zero = Math.round(-low / width);
  const most = Math.max(zero, counts.length - zero);
  let best = { size: most, error: Infinity };
  for (const size of edges(most, 1, 512)) {
    const from = Math.max(0, zero - size);
    const to = Math.min(counts.length, zero + size);
    const error = clipError(sums, from, to, (2 * size * width) / (levels - 1));
    if (error < best.error) best = { size, error };
  }
  return best.size * width;
}
