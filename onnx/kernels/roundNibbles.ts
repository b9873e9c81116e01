/**
 * 4-bit integers at the speed of a disk: one look at each block of weights for its scale, one to round. The weight that is
 * farthest from zero becomes -8 exactly, so that its block's scale has the sign that puts it there. A search for the
 * scale of least error gains about a decibel, for twenty times the work.
 */

export interface Nibbles {
  /** Two numbers a byte, the low one first. */
  readonly data: Uint8Array;
  /** One a block. */
  readonly scales: Float32Array;
}

/** Columns that are rounded together: their blocks and what becomes of them stay in the first cache. */
const TILE = 256;
/** Numbers in 32 bits, the lowest bits first, as the memory of every platform that this runs on has them. */
const WORD = 8;

/**
 * `panel` [rows, columns] in blocks down each column, as MatMulNBits reads them: data [columns, blocks, block / 2] with 8
 * added to each number, scales [columns, blocks]. The last block of a column is filled up with zeros.
 */
export function roundColumns(panel: Float32Array, columns: number, block: number): Nibbles {
  const rows = panel.length / columns;
  const blocks = Math.ceil(rows / block);
  const words = new Uint32Array((columns * blocks * block) / WORD);
  const scales = new Float32Array(columns * blocks);
  const most = new Float32Array(TILE);
  const inverse = new Float32Array(TILE);
  // Below the last row there are zeros.
  const padded = new Float32Array(TILE * block);
  for (let from = 0; from < columns; from += TILE) {
    const width = Math.min(TILE, columns - from);
    for (let b = 0; b < blocks; b++) {
      const end = Math.min(rows, (b + 1) * block);
      most.fill(0);
      for (let r = b * block; r < end; r++) {
        const at = r * columns + from;
        for (let c = 0; c < width; c++) {
          const w = panel[at + c];
          if (Math.abs(w) > Math.abs(most[c])) most[c] = w;
        }
      }
      for (let c = 0; c < width; c++) {
        const scale = Math.fround(most[c] / -8);
        scales[(from + c) * blocks + b] = scale === 0 ? 1 : scale;
        inverse[c] = inverseOf(scale);
      }
      const whole = end - b * block === block;
      if (!whole) copyRows(panel, { from: b * block * columns + from, rows: end - b * block, columns, width }, padded);
      const source = whole
        ? { data: panel, at: b * block * columns + from, step: columns }
        : { data: padded, at: 0, step: TILE };
      packWords(source, inverse, {
        into: words,
        at: ((from * blocks + b) * block) / WORD,
        step: (blocks * block) / WORD,
        width,
        block,
      });
    }
  }
  return { data: new Uint8Array(words.buffer), scales };
}

function copyRows(
  panel: Float32Array,
  {
    from,
    rows,
    columns,
    width,
  }: { readonly from: number; readonly rows: number; readonly columns: number; readonly width: number },
  into: Float32Array,
): void {
  into.fill(0);
  for (let r = 0; r < rows; r++) into.set(panel.subarray(from + r * columns, from + r * columns + width), r * TILE);
}

/** Eight rows of each column at a time: one write for eight numbers. */
function packWords(
  { data, at, step }: { readonly data: Float32Array; readonly at: number; readonly step: number },
  inverse: Float32Array,
  out: {
    readonly into: Uint32Array;
    readonly at: number;
    readonly step: number;
    readonly width: number;
    readonly block: number;
  },
): void {
  const { into, width } = out;
  for (let r = 0; r < out.block; r += WORD) {
    let to = out.at + r / WORD;
    const row = at + r * step;
    for (let c = row; c < row + width; c++) {
      const f = inverse[c - row];
      into[to] =
        offsetNibble(data[c] * f) |
        (offsetNibble(data[c + step] * f) << 4) |
        (offsetNibble(data[c + 2 * step] * f) << 8) |
        (offsetNibble(data[c + 3 * step] * f) << 12) |
        (offsetNibble(data[c + 4 * step] * f) << 16) |
        (offsetNibble(data[c + 5 * step] * f) << 20) |
        (offsetNibble(data[c + 6 * step] * f) << 24) |
        (offsetNibble(data[c + 7 * step] * f) << 28);
      to += out.step;
    }
  }
}

/** `matrix` [rows, columns] in blocks along each row, columns even: signed numbers as TensorProto packs INT4, scales [rows, blocks]. */
export function roundRows(matrix: Float32Array, columns: number, block: number): Nibbles {
  const rows = matrix.length / columns;
  const blocks = Math.ceil(columns / block);
  const data = new Uint8Array(matrix.length / 2);
  const scales = new Float32Array(rows * blocks);
  for (let r = 0; r < rows; r++) {
    for (let b = 0; b < blocks; b++) {
      const from = r * columns + b * block;
      const to = Math.min(from + block, (r + 1) * columns);
      let most = 0;
      for (let i = from; i < to; i++) if (Math.abs(matrix[i]) > Math.abs(most)) most = matrix[i];
      const scale = Math.fround(most / -8);
      scales[r * blocks + b] = scale === 0 ? 1 : scale;
      const inverse = inverseOf(scale);
      for (let i = from; i < to; i += 2) {
        const low = offsetNibble(matrix[i] * inverse) ^ 8;
        const high = offsetNibble(matrix[i + 1] * inverse) ^ 8;
        data[i >> 1] = low | (high << 4);
      }
    }
  }
  return { data, scales };
}

/** Zero where a block has no weight that a float of 32 bits can be divided by. */
function inverseOf(scale: number): number {
  const inverse = 1 / scale;
  return Number.isFinite(inverse) ? inverse : 0;
}

/** The nearest of -8 to 7, plus 8. */
function offsetNibble(x: number): number {
  const q = (x + 8.5) | 0;
  return Math.min(q, 15);
}
