/** Bytes of a picture to a network's input: scale, mean, type and layout in one look-up and one store a value. */

export type PackedArray = Float32Array | Uint16Array | Uint8Array;

/** Where the pixels of one picture go. All triples are by source channel: red, green, blue. */
export interface PackTarget {
  readonly data: PackedArray;
  /** What each of the 256 values becomes, in the type of `data`. */
  readonly tables: readonly [PackedArray, PackedArray, PackedArray];
  /** Index in `data` of the channel's first value. */
  readonly bases: readonly [number, number, number];
  /** From one pixel to the next: 1 where channels are planes, 3 where they lie side by side. */
  readonly step: number;
}

/** Packs a row of RGB pixels; `at` is the number of its first pixel in the target. */
export function packRow(row: Uint8Array, target: PackTarget, at: number): void {
  const { data, tables, bases, step } = target;
  const red = tables[0];
  const green = tables[1];
  const blue = tables[2];
  let r = bases[0] + at * step;
  let g = bases[1] + at * step;
  let b = bases[2] + at * step;
  for (let i = 0; i < row.length; i += 3) {
    data[r] = red[row[i]];
    data[g] = green[row[i + 1]];
    data[b] = blue[row[i + 2]];
    r += step;
    g += step;
    b += step;
  }
}

/** Gives every pixel the packed value of `pad`. */
export function packPad({ data, tables, bases, step }: PackTarget, pad: number): void {
  const count = data.length / 3;
  for (let c = 0; c < 3; c++) {
    const value = tables[c][pad];
    const base = bases[c];
    if (step === 1) data.fill(value, base, base + count);
    else for (let i = 0; i < count; i++) data[base + i * step] = value;
  }
}
