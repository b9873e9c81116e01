/**
 * 4-bit integers at the speed of a disk: one look at each block of weights for its scale, one to round. The weight that is
 * farthest from zero becomes -8 exactly, so that its block's scale has the sign that puts it there. A search for the
 * scale of least error gains about a decibel, for twenty times the work.
 */
import { type NibbleTile, nibbleTile, TILE, WORD } from "./nibbleTile.ts";

export interface Nibbles {
  /** Two numbers a byte, the low one first. */
  readonly data: Uint8Array;
  /** One a block. */
  readonly scales: Float32Array;
}

/** Blocks down the columns of [rows, columns]: data [columns, blocks, block / 2] with 8 added to each number, scales [columns, blocks]. */
export interface NibbleColumns {
  readonly columns: number;
  readonly block: number;
  readonly blocks: number;
  readonly words: Uint32Array;
  readonly scales: Float32Array;
}

/** Room for a matrix, which `roundStripe` fills. The last block of a column is filled up with zeros. */
export function nibbleColumns(rows: number, columns: number, block: number): NibbleColumns {
  const blocks = Math.ceil(rows / block);
  const words = new Uint32Array((columns * blocks * block) / WORD);
  return { columns, block, blocks, words, scales: new Float32Array(columns * blocks) };
}

/** `panel` [rows, columns] in blocks down each column, as MatMulNBits reads them. */
export function roundColumns(panel: Float32Array, columns: number, block: number): Nibbles {
  const out = nibbleColumns(panel.length / columns, columns, block);
  roundStripe(panel, 0, out);
  return { data: new Uint8Array(out.words.buffer), scales: out.scales };
}

/**
 * The blocks of some whole rows of blocks, from the one numbered `first` on; `stripe` may end early in the last. False
 * where a weight is a NaN or an infinity: what was written then means nothing.
 */
export function roundStripe(stripe: Float32Array, first: number, out: NibbleColumns): boolean {
  const { columns, block } = out;
  const rows = stripe.length / columns;
  const tile = nibbleTile(block);
  let finite = true;
  for (let from = 0; from < columns; from += TILE) {
    const width = Math.min(TILE, columns - from);
    for (let row = 0; row < rows; row += block) {
      const height = Math.min(block, rows - row);
      // Below the last row there are zeros.
      if (height < block) tile.weights.fill(0);
      for (let r = 0; r < height; r++) {
        const at = (row + r) * columns + from;
        tile.weights.set(stripe.subarray(at, at + width), r * TILE);
      }
      tile.find();
      const place = { from, width, at: first + row / block };
      finite = scaleBlocks(tile, place, out) && finite;
      tile.pack();
      copyWords(tile, place, out);
    }
  }
  return finite;
}

/** Columns of one row of blocks. */
interface TilePlace {
  readonly from: number;
  readonly width: number;
  readonly at: number;
}

const MAGNITUDE = 0x7fffffff;
const INFINITY = 0x7f800000;

function scaleBlocks(tile: NibbleTile, { from, width, at }: TilePlace, { scales, blocks }: NibbleColumns): boolean {
  const { farthest, inverse } = tile;
  const weights = new Float32Array(farthest.buffer, farthest.byteOffset, TILE);
  let finite = true;
  for (let c = 0; c < width; c++) {
    finite = (farthest[c] & MAGNITUDE) < INFINITY && finite;
    const scale = Math.fround(weights[c] / -8);
    scales[(from + c) * blocks + at] = scale === 0 ? 1 : scale;
    inverse[c] = inverseOf(scale);
  }
  return finite;
}

function copyWords(tile: NibbleTile, { from, width, at }: TilePlace, { words, block, blocks }: NibbleColumns): void {
  const packed = tile.words;
  const each = block / WORD;
  let to = (from * blocks + at) * each;
  for (let c = 0; c < width; c++) {
    for (let j = 0; j < each; j++) words[to + j] = packed[j * TILE + c];
    to += blocks * each;
  }
}

/**
 * `matrix` [rows, columns] in blocks along each row, columns even: signed numbers as TensorProto packs INT4, scales
 * [rows, blocks]. `positive`: scales above zero alone, of -7 to 7.
 */
export function roundRows(matrix: Float32Array, columns: number, block: number, positive = false): Nibbles {
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
      const scale = scaleFor(most, positive);
      scales[r * blocks + b] = scale === 0 ? 1 : scale;
      const inverse = inverseOf(scale);
      for (let i = from; i < to; i += 2) data[i >> 1] = pair(matrix[i] * inverse, matrix[i + 1] * inverse);
    }
  }
  return { data, scales };
}

/** The same in blocks down the columns, rows whole blocks: the numbers stay in their order, scales [blocks, columns]. */
export function roundDown(matrix: Float32Array, columns: number, block: number, positive = false): Nibbles {
  const floats = block * columns;
  const data = new Uint8Array(matrix.length / 2);
  const scales = new Float32Array(matrix.length / block);
  const inverses = new Float32Array(columns);
  const rounded = new Float32Array(floats);
  for (let from = 0, at = 0; from < matrix.length; from += floats, at += columns) {
    const most = scales.subarray(at, at + columns);
    for (let i = from; i < from + floats; i += columns) {
      for (let c = 0; c < columns; c++) if (Math.abs(matrix[i + c]) > Math.abs(most[c])) most[c] = matrix[i + c];
    }
    for (let c = 0; c < columns; c++) {
      const scale = scaleFor(most[c], positive);
      inverses[c] = inverseOf(scale);
      most[c] = scale === 0 ? 1 : scale;
    }
    for (let i = 0; i < floats; i += columns) {
      for (let c = 0; c < columns; c++) rounded[i + c] = matrix[from + i + c] * inverses[c];
    }
    for (let i = 0; i < floats; i += 2) data[(from + i) >> 1] = pair(rounded[i], rounded[i + 1]);
  }
  return { data, scales };
}

function scaleFor(farthest: number, positive: boolean): number {
  return Math.fround(positive ? Math.abs(farthest) / 7 : farthest / -8);
}

function pair(low: number, high: number): number {
  return (offsetNibble(low) ^ 8) | ((offsetNibble(high) ^ 8) << 4);
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
