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
