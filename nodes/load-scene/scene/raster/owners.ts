/** Who is seen where: exact boxes from the owners of the pixels. */

export interface Seen {
  pixels: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** By owner number; entry 0 is nobody's. */
export function countOwners(
  of: { readonly width: number; readonly height: number; readonly owner: Uint8Array },
  people: number,
): Seen[] {
  const seen = Array.from(
    { length: people + 1 },
    (): Seen => ({ pixels: 0, left: of.width, top: of.height, right: -1, bottom: -1 }),
  );
  const { width, owner: owners } = of;
  const pixels = width * of.height;
  // Most pixels are nobody's: four at a time are passed over.
  const fours = new Uint32Array(owners.buffer, owners.byteOffset, pixels >> 2);
  for (let at = 0; at < pixels; at++) {
    if ((at & 3) === 0 && fours[at >> 2] === 0) {
      at += 3;
      continue;
    }
    const owner = owners[at];
    if (owner === 0) continue;
    const y = (at / width) | 0;
    const x = at - y * width;
    const who = seen[owner];
    who.pixels++;
    if (x < who.left) who.left = x;
    if (x > who.right) who.right = x;
    if (y < who.top) who.top = y;
    who.bottom = y;
  }
  return seen;
}
