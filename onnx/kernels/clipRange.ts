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
  const sums = runningSums(folded);
  let best = n;
  let least = Infinity;
  for (const size of edges(levels, n, 256)) {
    const divergence = divergenceAt(sums, size, levels);
    if (divergence < least) {
      least = divergence;
      best = size;
    }
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

/** Sums over the bins before each edge: counts c, bins with any, and c log c. */
interface RunningSums {
  readonly counts: Float64Array;
  readonly used: Float64Array;
  readonly entropy: Float64Array;
}

function runningSums(folded: Float64Array): RunningSums {
  const [counts, used, entropy] = Array.from({ length: 3 }, () => new Float64Array(folded.length + 1));
  for (let i = 0; i < folded.length; i++) {
    counts[i + 1] = counts[i] + folded[i];
    used[i + 1] = used[i] + (folded[i] > 0 ? 1 : 0);
    entropy[i + 1] = entropy[i] + timesLog(folded[i]);
  }
  return { counts, used, entropy };
}

function timesLog(x: number): number {
  return x > 0 ? x * Math.log(x) : 0;
}

/** A quantized distribution without mass where the reference has some diverges without bound: a small floor. */
const NO_MASS = 1e-12;

/**
 * Sum of p log(p / q): p of the bins before `size`, the last with all the tail; q of a level spread over its bins that
 * have any. q is one number a level, so that running sums serve and no bin is visited.
 */
function divergenceAt({ counts, used, entropy }: RunningSums, size: number, levels: number): number {
  const total = counts[counts.length - 1];
  const kept = counts[size];
  if (kept === 0) return Infinity;
  const tail = total - kept;
  const last = kept - counts[size - 1];
  let crossed = 0;
  let q = 1;
  for (let level = 0; level < levels; level++) {
    const from = Math.floor((level * size) / levels);
    const to = Math.floor(((level + 1) * size) / levels);
    const sum = counts[to] - counts[from];
    if (sum === 0) continue;
    q = sum / (used[to] - used[from]) / kept;
    crossed += sum * Math.log(q);
  }
  crossed += tail * Math.log(last > 0 ? q : NO_MASS);
  const own = entropy[size - 1] + timesLog(last + tail) - total * Math.log(total);
  return (own - crossed) / total;
}

/** A histogram seen through a function f, with errors counted as |error|^power. */
export interface SeenThrough {
  readonly histogram: Histogram;
  readonly power: number;
  /** f at the bins' edges: one more than bins. */
  readonly atEdge: Float64Array;
  /** f in the middle of each bin. */
  readonly atCentre: Float64Array;
  /** Running sum of counts times |f'|^power, up to each edge. */
  readonly slope: Float64Array;
  readonly total: number;
}

export function seenThrough(histogram: Histogram, response: (x: number) => number, power: number): SeenThrough {
  const { low, width, counts } = histogram;
  const n = counts.length;
  const [atEdge, atCentre, slope] = [new Float64Array(n + 1), new Float64Array(n), new Float64Array(n + 1)];
  let total = 0;
  for (let i = 0; i <= n; i++) atEdge[i] = response(low + i * width);
  for (let i = 0; i < n; i++) {
    atCentre[i] = response(low + (i + 0.5) * width);
    slope[i + 1] = slope[i] + counts[i] * raised(Math.abs((atEdge[i + 1] - atEdge[i]) / width), power);
    total += counts[i];
  }
  return { histogram, power, atEdge, atCentre, slope, total };
}

/** x^power, fast for the powers in use. */
function raised(x: number, power: number): number {
  if (power === 2) return x * x;
  return power === 1.5 ? x * Math.sqrt(x) : x ** power;
}

/** Sum of |f(x) - f(edge)|^power over the bins `from` to `to`, which a clip sets to the edge. */
function cutOff({ histogram, power, atEdge, atCentre }: SeenThrough, edge: number, from: number, to: number): number {
  const { counts } = histogram;
  let sum = 0;
  for (let i = from; i < to; i++) {
    if (counts[i] > 0) sum += counts[i] * raised(Math.abs(atCentre[i] - atEdge[edge]), power);
  }
  return sum;
}

/** Sum of the rounding's |error|^power: uniform within half a step, through the function's slope. */
function rounded({ power, slope }: SeenThrough, from: number, to: number, step: number): number {
  return (raised(step / 2, power) / (power + 1)) * (slope[to] - slope[from]);
}

/** The rounding's part of `clipError`. */
export function roundingError(seen: SeenThrough, from: number, to: number, step: number): number {
  return seen.total === 0 ? 0 : rounded(seen, from, to, step) / seen.total;
}

/** Mean |f(q(x)) - f(x)|^power where q clips to the edges `from` and `to` and rounds with `step`. */
function clipError(seen: SeenThrough, from: number, to: number, step: number): number {
  if (seen.total === 0) return 0;
  const n = seen.atCentre.length;
  return (cutOff(seen, from, 0, from) + cutOff(seen, to, to, n) + rounded(seen, from, to, step)) / seen.total;
}

/** Edges tried: every one where there are few, else `most` of them at even steps. */
function edges(from: number, to: number, most: number): number[] {
  const steps = Math.max(1, Math.min(most, Math.abs(to - from)));
  return Array.from({ length: steps + 1 }, (_, i) => Math.round(from + ((to - from) * i) / steps));
}

/** Ends tried on each side: near enough for who looks closer around the best. */
const TRIED = 64;

/** The range with the least error for `levels` values between its ends. */
export function leastErrorRange(seen: SeenThrough, levels: number): Range {
  const { low, width, counts } = seen.histogram;
  const n = counts.length;
  const zero = Math.min(Math.max(Math.round(-low / width), 0), n);
  const above = edges(n, zero, TRIED).map((to) => ({ to, cut: cutOff(seen, to, to, n) }));
  let best = { from: 0, to: n, error: Infinity };
  for (const from of edges(0, zero, TRIED)) {
    const below = cutOff(seen, from, 0, from);
    for (const { to, cut } of above) {
      if (to <= from) continue;
      const error = below + cut + rounded(seen, from, to, ((to - from) * width) / (levels - 1));
      if (error < best.error) best = { from, to, error };
    }
  }
  return { lo: Math.min(0, low + best.from * width), hi: Math.max(0, low + best.to * width) };
}

/** The threshold T with the least error for `levels` values between -T and T. */
export function leastErrorThreshold(seen: SeenThrough, levels: number): number {
  const { low, width, counts } = seen.histogram;
  const zero = Math.round(-low / width);
  const most = Math.max(zero, counts.length - zero);
  let best = { size: most, error: Infinity };
  for (const size of edges(most, 1, TRIED)) {
    const from = Math.min(counts.length, Math.max(0, zero - size));
    const to = Math.max(0, Math.min(counts.length, zero + size));
    const error = clipError(seen, from, to, (2 * size * width) / (levels - 1));
    if (error < best.error) best = { size, error };
  }
  return best.size * width;
}
