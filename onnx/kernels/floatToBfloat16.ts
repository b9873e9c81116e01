const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Bits of the nearest bfloat16 (the upper half of a binary32), ties to even; beyond its range infinity, NaN stays NaN. */
export function floatToBfloat16(value: number): number {
  float[0] = value;
  const upper = bits[0] >>> 16;
  if ((bits[0] & 0x7fffffff) > 0x7f800000) return upper | 0x40;
  return ((bits[0] + 0x7fff + (upper & 1)) >>> 16) & 0xffff;
}
