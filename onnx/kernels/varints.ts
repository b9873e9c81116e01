/** Protobuf's packed varints as packed little-endian integers. */

/** Number of integers in a packed run: each ends with the one byte whose top bit is clear. */
export function countVarints(bytes: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] < 0x80) count++;
  return count;
}

/**
 * Writes the low `width` bytes (1 to 8) of each integer into `out` from `offset` on; what lies above them is dropped, as
 * protobuf does with the sign bits of small types. `out` has room for all.
 */
export function unpackVarints(bytes: Uint8Array, width: number, out: Uint8Array, offset: number): void {
  let at = offset;
  let low = 0;
  let high = 0;
  let shift = 0;
  for (let i = 0; i < bytes.length; i++) {
    const bits = bytes[i] & 0x7f;
    if (shift < 32) low |= bits << shift;
    if (shift === 28) high |= bits >>> 4;
    else if (shift > 28 && shift < 64) high |= bits << (shift - 32);
    shift += 7;
    if (bytes[i] > 0x7f) continue;
    for (let k = 0; k < width; k++) out[at++] = k < 4 ? low >>> (8 * k) : high >>> (8 * (k - 4));
    low = 0;
    high = 0;
    shift = 0;
  }
}
