/** What is known of each channel of a tensor, exactly: range, mean and variance, in four numbers a channel. */
import { CHUNK, floatScan } from "./scanFloats.ts";

export interface ChannelStatistics {
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly sum: Float64Array;
  readonly sumOfSquares: Float64Array;
}

export interface Seen {
  readonly min: number;
  readonly max: number;
  /** False where a value is a NaN or an infinity; the statistics are then of no use. */
  readonly finite: boolean;
  /** What lies in the tails; valid until the next call. */
  readonly outside: Float32Array;
}

/** A tail begins below `lo` and at `hi`, which are 32-bit floats. */
export interface Tails {
  readonly lo: number;
  readonly hi: number;
}

export const NO_TAILS: Tails = { lo: -Infinity, hi: Infinity };

export function newChannels(count: number): ChannelStatistics {
  return {
    min: new Float64Array(count).fill(Infinity),
    max: new Float64Array(count).fill(-Infinity),
    sum: new Float64Array(count),
    sumOfSquares: new Float64Array(count),
  };
}

/** Adds one tensor, laid out [outer, channels, inner]. Where channels come last, it looks for no tails. */
export function addTensor(data: Float32Array, inner: number, into: ChannelStatistics, tails = NO_TAILS): Seen {
  const { least, largest, sum, outside } = inner === 1 ? rows(data, into) : planes(data, { inner, tails }, into);
  return { min: least + 0, max: largest + 0, finite: Number.isFinite(sum), outside: kept.subarray(0, outside) };
}

interface Found {
  readonly least: number;
  readonly largest: number;
  /** No sum of finite 32-bit floats leaves the doubles, and no infinity or NaN leaves a sum. */
  readonly sum: number;
  readonly outside: number;
}

let kept = new Float32Array(0);

/** One plane of `inner` values a channel; a chunk holds many small ones, or a part of a large one. */
function planes(
  data: Float32Array,
  { inner, tails }: { readonly inner: number; readonly tails: Tails },
  into: ChannelStatistics,
): Found {
  const scanner = floatScan();
  const channels = into.sum.length;
  if (kept.length < data.length) kept = new Float32Array(data.length);
  let [least, largest, sum, outside] = [Infinity, -Infinity, 0, 0];
  for (let start = 0; start < data.length; start += CHUNK) {
    const stop = Math.min(start + CHUNK, data.length);
    scanner.values.set(data.subarray(start, stop));
    scanner.begin(tails);
    for (let at = start; at < stop; ) {
      const plane = Math.floor(at / inner);
      const end = Math.min(stop, (plane + 1) * inner);
      scanner.scan(at - start, end - start);
      const c = plane % channels;
      const [low, high] = [ends.least(scanner.least), ends.largest(scanner.largest)];
      const total = scanner.sum[0] + scanner.sum[1];
      if (low < into.min[c]) into.min[c] = low + 0;
      if (high > into.max[c]) into.max[c] = high + 0;
      into.sum[c] += total;
      into.sumOfSquares[c] += scanner.sumOfSquares[0] + scanner.sumOfSquares[1];
      if (low < least) least = low;
      if (high > largest) largest = high;
      sum += total;
      at = end;
    }
    const found = scanner.found();
    if (found > 0) kept.set(scanner.tails.subarray(0, found), outside);
    outside += found;
  }
  return { least, largest, sum, outside };
}

/** Of four lanes. */
const ends = {
  least: (lanes: Float32Array) => Math.min(lanes[0], lanes[1], lanes[2], lanes[3]),
  largest: (lanes: Float32Array) => Math.max(lanes[0], lanes[1], lanes[2], lanes[3]),
};

/** Channels last. */
function rows(data: Float32Array, into: ChannelStatistics): Found {
  const { min, max, sum, sumOfSquares } = into;
  const channels = sum.length;
  const least = new Float64Array(channels).fill(Infinity);
  const largest = new Float64Array(channels).fill(-Infinity);
  const total = new Float64Array(channels);
  for (let row = 0; row < data.length; row += channels) {
    for (let c = 0; c < channels; c++) {
      const x = data[row + c];
      if (x < least[c]) least[c] = x;
      if (x > largest[c]) largest[c] = x;
      total[c] += x;
      sumOfSquares[c] += x * x;
    }
  }
  const all = { least: Infinity, largest: -Infinity, sum: 0, outside: 0 };
  for (let c = 0; c < channels; c++) {
    min[c] = Math.min(min[c], least[c] + 0);
    max[c] = Math.max(max[c], largest[c] + 0);
    sum[c] += total[c];
    all.least = Math.min(all.least, least[c]);
    all.largest = Math.max(all.largest, largest[c]);
    all.sum += total[c];
  }
  return all;
}
