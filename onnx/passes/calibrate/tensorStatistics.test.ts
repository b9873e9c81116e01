import { describe, expect, it } from "vitest";
import { mulberry32 } from "../../seededTensor.ts";
import { TensorStatistics } from "./tensorStatistics.ts";

const DIMS = [1, 2, 100, 150];
const VALUES = 30_000;
const IMAGES = 12;

/** Bell-shaped around the channel's middle, brighter to the right of the picture, with a rare value far out. */
function image(seed: number): Float32Array {
  const random = mulberry32(seed);
  return Float32Array.from({ length: VALUES }, (_, i) => {
    const bell = random() + random() + random() + random() - 2;
    const far = random() < 2e-4 ? 6 * random() : 0;
    return bell + (i % 150) / 300 + (i < VALUES / 2 ? 0 : 1) + far;
  });
}
const images = Array.from({ length: IMAGES }, (_, i) => image(i + 1));

function seen(): TensorStatistics {
  const statistics = new TensorStatistics("t", 1);
  for (const data of images) statistics.add(data, DIMS);
  return statistics;
}

const range = (values: readonly number[]) => [
  values.reduce((a, b) => Math.min(a, b)),
  values.reduce((a, b) => Math.max(a, b)),
];

describe("statistics of a large tensor", () => {
  const all = images.flatMap((data) => [...data]);
  const { low, width, counts } = seen().histogram.compact(2048);
  /** Share below a lattice edge, in the histogram and in truth. */
  const shares = counts.map((_, k) => {
    const edge = low + (k + 1) * width;
    const counted = counts.slice(0, k + 1).reduce((a, b) => a + b, 0);
    return { counted, truth: all.filter((x) => x < edge).length };
  });

  it("knows range, mean and variance exactly", () => {
    const statistics = seen();
    expect([statistics.min, statistics.max]).toEqual(range(all));
    const first = images.flatMap((data) => [...data.subarray(0, VALUES / 2)]);
    const { count, ...of } = statistics.channels();
    expect([of.min[0], of.max[0]]).toEqual(range(first));
    expect(count).toBe((IMAGES * VALUES) / 2);
    const mean = first.reduce((a, b) => a + b, 0) / first.length;
    expect(Math.abs((of.mean[0] ?? 0) - mean)).toBeLessThan(1e-9);
    const variance = first.reduce((sum, x) => sum + (x - mean) ** 2, 0) / first.length;
    expect(Math.abs((of.variance[0] ?? 0) / variance - 1)).toBeLessThan(1e-9);
  });

  it("counts the tails to the last value, and between them errs by less than a hundredth", () => {
    const total = IMAGES * VALUES;
    expect(counts.length).toBeGreaterThan(500);
    for (const { counted, truth } of shares) {
      if (truth < 0.002 * total) expect(counted).toBe(truth);
      expect(Math.abs(counted - truth) / total).toBeLessThan(0.01);
    }
  });

  it("is the same for the same images", () => {
    expect(seen().histogram).toEqual(seen().histogram);
    expect(seen().channels()).toEqual(seen().channels());
  });
});
