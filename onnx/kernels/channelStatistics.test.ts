import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addTensor, newChannels } from "./channelStatistics.ts";

const CHANNELS = 3;
const float = fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(-1, -0, 0, 1));
const planes = (inner: number) =>
  fc
    .array(float, { minLength: 2 * CHANNELS * inner, maxLength: 2 * CHANNELS * inner })
    .map((values) => Float32Array.from(values));
/** From channels last to planes that end within a vector, a block of vectors, and between. */
const tensor = fc
  .integer({ min: 1, max: 41 })
  .chain((inner) => fc.record({ inner: fc.constant(inner), data: planes(inner) }));

/** Without the sign of zero, which no range tells. */
const plain = (values: Iterable<number>) => Array.from(values, (x) => x + 0);
const sorted = (values: Iterable<number>) => plain(values).sort((a, b) => a - b);
const channelOf = (data: Float32Array, inner: number, c: number) =>
  data.filter((_, i) => Math.floor(i / inner) % CHANNELS === c);
const sumOf = (values: Iterable<number>) => Array.from(values).reduce((a, b) => a + b, 0);

describe("addTensor", () => {
  it("finds the least and largest value of each channel and of the tensor, whatever the signs", () => {
    fc.assert(
      fc.property(tensor, ({ inner, data }) => {
        const into = newChannels(CHANNELS);
        const { min, max, finite } = addTensor(data, inner, into);
        const channels = [0, 1, 2].map((c) => sorted(channelOf(data, inner, c)));
        expect([...into.min]).toEqual(channels.map((values) => values[0]));
        expect([...into.max]).toEqual(channels.map((values) => values.at(-1)));
        expect([min, max, finite]).toEqual([sorted(data)[0], sorted(data).at(-1), true]);
      }),
    );
  });

  it("sums each channel and its squares in doubles", () => {
    fc.assert(
      fc.property(tensor, ({ inner, data }) => {
        const into = newChannels(CHANNELS);
        addTensor(data, inner, into);
        addTensor(data, inner, into);
        for (let c = 0; c < CHANNELS; c++) {
          const values = channelOf(data, inner, c);
          // The order of the additions alone differs: an error of the doubles, against the sum of what was added.
          const most = 1e-14 * (1 + sumOf(values.map(Math.abs)));
          expect(Math.abs((into.sum[c] ?? Number.NaN) - 2 * sumOf(values))).toBeLessThanOrEqual(most);
          const squares = 2 * sumOf(Array.from(values, (x) => x * x));
          expect(Math.abs((into.sumOfSquares[c] ?? Number.NaN) - squares)).toBeLessThanOrEqual(1e-14 * squares);
        }
      }),
    );
  });

  it("gives every value in the tails, and no other", () => {
    fc.assert(
      fc.property(tensor, float, float, ({ inner, data }, a, b) => {
        const [lo, hi] = [Math.min(a, b), Math.max(a, b)];
        const { outside } = addTensor(data, inner, newChannels(CHANNELS), { lo, hi });
        const wanted = inner === 1 ? [] : data.filter((x) => x < lo || x >= hi);
        expect(sorted(outside)).toEqual(sorted(wanted));
      }),
    );
  });

  it.each([700, 20_000])("does so for planes of %d values, many or one to a chunk", (inner) => {
    // A multiple of the golden ratio, modulo 1, is spread evenly.
    const data = Float32Array.from({ length: 2 * CHANNELS * inner }, (_, i) => ((i * 0.618034) % 1) - 0.4);
    const into = newChannels(CHANNELS);
    const { min, max, outside } = addTensor(data, inner, into, { lo: -0.375, hi: 0.5625 });
    const ordered = Float32Array.from(data).sort();
    expect([min, max]).toEqual([ordered[0], ordered.at(-1)]);
    expect(outside).toEqual(data.filter((x) => x < -0.375 || x >= 0.5625));
    for (let c = 0; c < CHANNELS; c++) {
      const values = Float32Array.from(channelOf(data, inner, c)).sort();
      expect([into.min[c], into.max[c]]).toEqual([values[0], values.at(-1)]);
      expect(into.sum[c]).toBeCloseTo(sumOf(values), 8);
      expect(into.sumOfSquares[c]).toBeCloseTo(sumOf(Array.from(values, (x) => x * x)), 8);
    }
  });

  it.each([Number.NaN, Infinity, -Infinity])("tells of a %d anywhere", (wrong) => {
    for (const inner of [1, 4, 6, 21]) {
      for (let i = 0; i < CHANNELS * inner; i++) {
        const data = new Float32Array(CHANNELS * inner).fill(-1);
        data[i] = wrong;
        expect(addTensor(data, inner, newChannels(CHANNELS)).finite).toBe(false);
      }
    }
    const both = Float32Array.of(Infinity, -Infinity, 0);
    for (const inner of [1, 3]) expect(addTensor(both, inner, newChannels(3 / inner)).finite).toBe(false);
    // The NaN that a processor makes of 0 / 0 has its sign set.
    const negative = new Float32Array(Int32Array.of(-4194304, 0, 0).buffer);
    expect(addTensor(negative, 1, newChannels(CHANNELS)).finite).toBe(false);
  });

  it("is not led astray by the largest floats, whose sum no float holds", () => {
    const most = 3.4028234663852886e38;
    for (const inner of [1, 16]) {
      const data = new Float32Array(CHANNELS * 16).fill(most);
      expect(addTensor(data, inner, newChannels(CHANNELS))).toMatchObject({ min: most, max: most, finite: true });
    }
  });
});
