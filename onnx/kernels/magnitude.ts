/** Magnitude thresholds over many tensors without holding them: a histogram of log2 |w| relative to each tensor's RMS. */

/** Buckets from 2^-24 to 2^8 of the RMS, 128 an octave: a share of zeros is met within half a percent of a weight's size. */
const OCTAVES = 32;
const LOWEST = -24;
const PER_OCTAVE = 128;

export function newMagnitudeHistogram(): Float64Array {
  return new Float64Array(OCTAVES * PER_OCTAVE);
}

export function rootMeanSquare(data: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i] * data[i];
  return Math.sqrt(sum / data.length);
}

function bucketOf(ratio: number): number {
  if (!(ratio > 0)) return 0;
  const bucket = Math.floor((Math.log2(ratio) - LOWEST) * PER_OCTAVE);
  return Math.min(OCTAVES * PER_OCTAVE - 1, Math.max(0, bucket));
}

export function addMagnitudes(histogram: Float64Array, data: Float32Array, rms: number): void {
  for (let i = 0; i < data.length; i++) histogram[bucketOf(Math.abs(data[i]) / rms)]++;
}

/** The multiple of the RMS below which `share` of all elements lie. */
export function thresholdFor(histogram: Float64Array, share: number): number {
  let total = 0;
  for (let i = 0; i < histogram.length; i++) total += histogram[i];
  let below = 0;
  for (let i = 0; i < histogram.length; i++) {
    const inside = histogram[i];
    if (below + inside > share * total) {
      const part = inside > 0 ? (share * total - below) / inside : 0;
      return 2 ** (LOWEST + (i + part) / PER_OCTAVE);
    }
    below += inside;
  }
  return Number.POSITIVE_INFINITY;
}

/** Sets to zero what is smaller than `threshold`, in place; returns how many are zero then. */
export function zeroBelow(data: Float32Array, threshold: number): number {
  let zeros = 0;
  for (let i = 0; i < data.length; i++) {
    if (Math.abs(data[i]) < threshold) data[i] = 0;
    if (data[i] === 0) zeros++;
  }
  return zeros;
}
