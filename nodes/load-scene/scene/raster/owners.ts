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
  for (let y = 0, at = 0; y < of.height; y++) {
    for (let x = 0; x < of.width; x++, at++) {
      const owner = of.owner[at];
      if (owner === 0) continue;
      const who = seen[owner];
      who.pixels++;
      if (x < who.left) who.left = x;
      if (x > who.right) who.right = x;
      if (y < who.top) who.top = y;
      who.bottom = y;
    }
  }
  return seen;
}
