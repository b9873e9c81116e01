const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Bits of the nearest IEEE 754 binary16, ties to even; beyond 65504 + half a step infinity, NaN stays NaN. */
export function floatToHalf(value: number): number {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = bits[0] & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: a multiple of 2^-24. Adding 2^52 to a double rounds it to an integer, ties to even.
    bits[0] = magnitude;
    return sign | (float[0] * 2 ** 24 + 2 ** 52 - 2 ** 52);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}
