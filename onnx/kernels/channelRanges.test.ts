import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addRanges, newRanges } from "./channelRanges.ts";

const CHANNELS = 3;
const float = fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(-1, -0, 0, 1));
const planes = (inner: number) =>
  fc
    .array(float, { minLength: 2 * CHANNELS * inner, maxLength: 2 * CHANNELS * inner })
    .map((values) => Float32Array.from(values));
const tensor = fc
  .integer({ min: 1, max: 11 })
  .chain((inner) => fc.record({ inner: fc.constant(inner), data: planes(inner) }));

/** Without the sign of zero, which no range tells. */
const plain = (values: Iterable<number>) => Array.from(values, (x) => x + 0);
const sorted = (values: Iterable<number>) => plain(values).sort((a, b) => a - b);

describe("addRanges", () => {
  it("finds the least and largest value of each channel and of the tensor, whatever the signs", () => {
    fc.assert(
      fc.property(tensor, ({ inner, data }) => {
        const ranges = newRanges(CHANNELS);
        const { min, max, finite } = addRanges(data, inner, ranges);
        const of = (c: number) => data.filter((_, i) => Math.floor(i / inner) % CHANNELS === c);
        const channels = [0, 1, 2].map((c) => sorted(of(c)));
        expect([...ranges.min]).toEqual(channels.map((values) => values[0]));
        expect([...ranges.max]).toEqual(channels.map((values) => values.at(-1)));
        expect([min, max, finite]).toEqual([sorted(data)[0], sorted(data).at(-1), true]);
      }),
    );
  });

  it("gives every value in the tails, and no other", () => {
    fc.assert(
      fc.property(tensor, float, float, ({ inner, data }, a, b) => {
        const [lo, hi] = [Math.min(a, b), Math.max(a, b)];
        const { outside } = addRanges(data, inner, newRanges(CHANNELS), { lo, hi });
        const wanted = inner === 1 ? [] : data.filter((x) => x < lo || x >= hi);
        expect(sorted(outside)).toEqual(sorted(wanted));
      }),
    );
  });

  it.each([Number.NaN, Infinity, -Infinity])("tells of a %d anywhere", (wrong) => {
    for (const inner of [1, 4, 6]) {
      for (let i = 0; i < CHANNELS * inner; i++) {
        const data = new Float32Array(CHANNELS * inner).fill(-1);
        data[i] = wrong;
        expect(addRanges(data, inner, newRanges(CHANNELS)).finite).toBe(false);
      }
    }
    // The NaN that a processor makes of 0 / 0 has its sign set.
    const negative = new Float32Array(Int32Array.of(-4194304, 0, 0).buffer);
    expect(addRanges(negative, 1, newRanges(CHANNELS)).finite).toBe(false);
  });
});
