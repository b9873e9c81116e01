/**
 * The least and largest value of each channel, and all values in a tensor's tails, exactly: what a range hangs on.
 *
 * 32-bit floats order like their bits do as integers, once those of the negative ones are turned round (IEEE 754, 5.10),
 * so that no value needs widening to 64 bits. Infinities and NaNs stand outside of all finite numbers in that order, and
 * the ranges alone tell of them.
 */
export interface ChannelRanges {
  readonly min: Float64Array;
  readonly max: Float64Array;
}

export interface RangeFound {
  readonly min: number;
  readonly max: number;
  /** False where a value is a NaN or an infinity; the ranges are then of no use. */
  readonly finite: boolean;
  /** What lies in the tails; valid until the next call. */
  readonly outside: Float32Array;
}

/** A tail begins below `lo` and at `hi`. */
export interface Tails {
  readonly lo: number;
  readonly hi: number;
}

export const NO_TAILS: Tails = { lo: -Infinity, hi: Infinity };

export function newRanges(channels: number): ChannelRanges {
  return { min: new Float64Array(channels).fill(Infinity), max: new Float64Array(channels).fill(-Infinity) };
}

/** Widens the ranges by one tensor, laid out [outer, channels, inner]. */
export function addRanges(data: Float32Array, inner: number, into: ChannelRanges, tails = NO_TAILS): RangeFound {
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  const found = inner === 1 ? rowRanges(bits, into) : planeRanges(bits, { inner, tails }, into);
  return {
    min: valueAt(found.min),
    max: valueAt(found.max),
    finite: found.max < INFINITE && found.min > ~INFINITE,
    outside: scratch.subarray(0, found.outside),
  };
}

/** Places in the order of floats: an infinity's bits; those of its negative are these, inverted. */
const INFINITE = 0x7f800000;
const FIRST = -0x80000000;
const LAST = 0x7fffffff;

const one = new Float32Array(1);
const place = new Int32Array(one.buffer);
let scratch = new Float32Array(0);

/** The float at a place in their order. */
function valueAt(order: number): number {
  place[0] = order ^ ((order >> 31) & LAST);
  return one[0] + 0;
}

/** Of the two zeros the lower one: neither lies below zero, both lie from zero on. */
function placeOf(value: number): number {
  one[0] = value === 0 ? -0 : value;
  return place[0] ^ ((place[0] >> 31) & LAST);
}

interface Found {
  readonly min: number;
  readonly max: number;
  readonly outside: number;
}

interface Planes {
  readonly inner: number;
  readonly tails: Tails;
}

/**
 * One plane of `inner` values a channel. A value within `low` and `high` neither widens the plane's range nor lies in a
 * tail: two comparisons, and nearly all values are done with.
 */
function planeRanges(bits: Int32Array, { inner, tails }: Planes, into: ChannelRanges): Found {
  const channels = into.min.length;
  const [first, last] = [placeOf(tails.lo), placeOf(tails.hi) - 1];
  if (scratch.length < bits.length) scratch = new Float32Array(bits.length);
  const tail = new Int32Array(scratch.buffer);
  let [least, largest, outside] = [LAST, FIRST, 0];
  for (let at = 0, plane = 0; at < bits.length; plane++) {
    const end = at + inner;
    let [min, max] = [LAST, FIRST];
    let [low, high] = [LAST, FIRST];
    while (at < end) {
      // The first value of a plane is outside of any range.
      for (; at < end - 3; at += 4) {
        const a = bits[at];
        const b = bits[at + 1];
        const c = bits[at + 2];
        const d = bits[at + 3];
        const x = a ^ ((a >> 31) & LAST);
        const y = b ^ ((b >> 31) & LAST);
        const z = c ^ ((c >> 31) & LAST);
        const w = d ^ ((d >> 31) & LAST);
        if (x < low || x > high || y < low || y > high || z < low || z > high || w < low || w > high) break;
      }
      for (const stop = Math.min(at + 4, end); at < stop; at++) {
        const x = bits[at] ^ ((bits[at] >> 31) & LAST);
        if (x < min) min = x;
        if (x > max) max = x;
        if (x < first || x > last) tail[outside++] = bits[at];
      }
      low = Math.max(min, first);
      high = Math.min(max, last);
    }
    widen(into, plane % channels, min, max);
    if (min < least) least = min;
    if (max > largest) largest = max;
  }
  return { min: least, max: largest, outside };
}

/** Channels last. */
function rowRanges(bits: Int32Array, into: ChannelRanges): Found {
  const channels = into.min.length;
  const min = new Int32Array(channels).fill(LAST);
  const max = new Int32Array(channels).fill(FIRST);
  for (let row = 0; row < bits.length; row += channels) {
    for (let c = 0; c < channels; c++) {
      const x = bits[row + c] ^ ((bits[row + c] >> 31) & LAST);
      if (x < min[c]) min[c] = x;
      if (x > max[c]) max[c] = x;
    }
  }
  let [least, largest] = [LAST, FIRST];
  for (let c = 0; c < channels; c++) {
    widen(into, c, min[c], max[c]);
    if (min[c] < least) least = min[c];
    if (max[c] > largest) largest = max[c];
  }
  return { min: least, max: largest, outside: 0 };
}

function widen({ min, max }: ChannelRanges, c: number, least: number, largest: number): void {
  min[c] = Math.min(min[c], valueAt(least));
  max[c] = Math.max(max[c], valueAt(largest));
}
