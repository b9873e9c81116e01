import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  blockError,
  dequantizeChannels,
  leastErrorScales,
  packNibbles,
  packOffsetNibbles,
  quantizeBlocks,
  quantizeChannels,
  rowsOf,
  transposedMatrix,
} from "./quantizeWeights.ts";

const floats = (length: number) =>
  fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: length, maxLength: length });

function energy(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0);
}

describe("quantizeWeights", () => {
  it("errs no more than the largest weight's scale would, on any axis", () => {
    fc.assert(
      fc.property(floats(24), fc.constantFrom([1, 4, 6], [6, 4, 1], [2, 3, 4]), (list, [outer, channels, inner]) => {
        const weights = Float32Array.from(list);
        const layout = { outer, channels, inner };
        const plain = new Float32Array(channels).fill(0);
        for (let i = 0; i < 24; i++) {
          const c = Math.floor(i / inner) % channels;
          plain[c] = Math.max(plain[c], Math.abs(weights[i]) / 7);
        }
        for (let c = 0; c < channels; c++) if (plain[c] === 0) plain[c] = 1;
        const scales = leastErrorScales(weights, layout, 7);
        const error = (s: Float32Array) =>
          energy(weights, dequantizeChannels(quantizeChannels(weights, layout, s, 7), layout, s));
        expect(error(scales)).toBeLessThanOrEqual(error(plain) * (1 + 1e-5) + 1e-9);
      }),
    );
  });

  it("gives a channel of zeros scale 1 and zeros", () => {
    const weights = Float32Array.of(0, 0, 1, -1);
    const layout = { outer: 1, channels: 2, inner: 2 };
    const scales = leastErrorScales(weights, layout, 127);
    expect(scales[0]).toBe(1);
    expect([...quantizeChannels(weights, layout, scales, 127)]).toEqual([0, 0, 127, -127]);
  });

  it("spares the weights that count", () => {
    const weights = Float32Array.from({ length: 64 }, (_, i) => (i === 0 ? 8 : Math.sin(i)));
    const layout = { outer: 1, channels: 1, inner: 64 };
    const importance = Float32Array.from(weights, (_, i) => (i === 0 ? 0 : 1));
    expect(leastErrorScales(weights, layout, 7, importance)[0]).toBeLessThan(8 / 7);
  });

  it("packs the low nibble first, signed and with an offset", () => {
    expect([...packNibbles(Int8Array.of(-8, 7, 1))]).toEqual([0x78, 0x01]);
    // One row of three in blocks of four: the fourth is filled with 8, which is zero.
    expect([...packOffsetNibbles(Int8Array.of(-7, 0, 7), 3, 4)]).toEqual([0x81, 0x8f]);
  });

  it("rows of a grouped kernel that lies transposed", () => {
    const view = { groups: 2, outputs: 1, inputs: 2, taps: 1, strides: { group: 2, output: 1, input: 1, tap: 1 } };
    expect([...rowsOf(Float32Array.of(1, 2, 3, 4), view)]).toEqual([1, 2, 3, 4]);
    const product = { groups: 1, outputs: 2, inputs: 2, taps: 1, strides: { group: 4, output: 1, input: 2, tap: 1 } };
    expect([...rowsOf(Float32Array.of(1, 2, 3, 4), product)]).toEqual([1, 3, 2, 4]);
    expect([...transposedMatrix(Int8Array.of(1, 2, 3, 4, 5, 6), 2, 3)]).toEqual([1, 4, 2, 5, 3, 6]);
  });

  it("blocks know their own error, the short last one too", () => {
    const matrix = Float32Array.from({ length: 2 * 10 }, (_, i) => Math.cos(i * 1.7));
    const { scales, integers } = quantizeBlocks(matrix, { columns: 10, block: 4, bits: 4, signed: false });
    expect(scales.length).toBe(6);
    const { signal, noise } = blockError(matrix, { integers, scales, columns: 10, perRow: 3, block: 4 });
    expect(10 * Math.log10(signal / noise)).toBeGreaterThan(18);
  });
});
