/** What a list of latencies says. Percentiles are nearest-rank, as MLPerf takes them: always a time that was seen. */

export interface LatencyStatistics {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly meanMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Inferences a second, one after another: the inverse of the mean. */
  readonly throughput: number;
  readonly histogram: Histogram;
}

/** Counts of equal bins from `startMs`; what lies above the last bin is counted in it. */
export interface Histogram {
  readonly startMs: number;
  readonly binMs: number;
  readonly counts: readonly number[];
}

const BINS = 48;

/** Throws RangeError for an empty list. */
export function latencyStatistics(latenciesMs: readonly number[]): LatencyStatistics {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  const meanMs = sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length;
  return {
    p50Ms: percentile(sorted, 0.5),
    p90Ms: percentile(sorted, 0.9),
    p99Ms: percentile(sorted, 0.99),
    meanMs,
    minMs: percentile(sorted, 0),
    maxMs: percentile(sorted, 1),
    throughput: 1000 / meanMs,
    histogram: histogram(sorted),
  };
}

export function percentile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("no iteration was timed");
  return value;
}

/** Ends a little above the 99th percentile, earlier where the tail is long, so that outliers do not flatten the rest. */
function histogram(sorted: readonly number[]): Histogram {
  const startMs = percentile(sorted, 0);
  const tail = Math.min(percentile(sorted, 0.99) * 1.05, Math.max(percentile(sorted, 0.9) * 1.5, startMs * 2));
  const end = Math.max(tail, startMs * 1.01, 1e-6);
  const binMs = (end - startMs) / BINS;
  const counts = new Array<number>(BINS).fill(0);
  for (const ms of sorted) {
    const bin = Math.min(BINS - 1, Math.floor((ms - startMs) / binMs));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { startMs, binMs, counts };
}
