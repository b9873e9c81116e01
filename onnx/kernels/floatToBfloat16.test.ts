import fc from "fast-check";
import { expect, it } from "vitest";
import { floatToBfloat16 } from "./floatToBfloat16.ts";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function toFloat(bfloat16: number): number {
  bits[0] = bfloat16 * 2 ** 16;
  return float[0] ?? 0;
}

it("gives back every bfloat16", () => {
  for (let code = 0; code < 2 ** 16; code++) {
    const value = toFloat(code);
    if (Number.isNaN(value)) expect(toFloat(floatToBfloat16(value))).toBeNaN();
    else expect(floatToBfloat16(value)).toBe(code);
  }
});

it("takes the nearer neighbour, the even one of two as near", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x7f7e }), fc.double({ min: 0, max: 1, noNaN: true }), (code, share) => {
      const [low, high] = [toFloat(code), toFloat(code + 1)];
      const value = Math.fround(low + (high - low) * share);
      const got = toFloat(floatToBfloat16(value));
      expect(Math.abs(value - got)).toBe(Math.min(value - low, high - value));
      if (value - low === high - value) expect(floatToBfloat16(value) % 2).toBe(0);
      expect(floatToBfloat16(-value)).toBe(floatToBfloat16(value) + 0x8000);
    }),
  );
});

it("ends in infinity beyond the largest, half a step on", () => {
  expect(floatToBfloat16(3.3895313892515355e38)).toBe(0x7f7f);
  expect(floatToBfloat16(3.4028234663852886e38)).toBe(0x7f80);
});
