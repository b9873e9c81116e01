/** Boxes of the candidates from the channels of their anchors, in pixels of the network's input (x1, y1, x2, y2). */
import { type Candidates, push } from "./candidates.ts";

/** See `BoxCode` in nodes/nms/decoders.ts for what each code means. */
export interface BoxGrid {
  readonly data: Float32Array;
  readonly code: "center" | "corners" | "corner-fractions" | "strided-grid" | "cell";
  /** Channel k of anchor a lies at offset + a * anchorStep + k * channelStep. */
  readonly offset: number;
  readonly anchorStep: number;
  readonly channelStep: number;
  /** Of a `cell` grid. */
  readonly rows: number;
  readonly columns: number;
  readonly inputWidth: number;
  readonly inputHeight: number;
  /** Of a `strided-grid`. */
  readonly grids: readonly { readonly stride: number; readonly rows: number; readonly columns: number }[];
}

export function decodeBoxes(grid: BoxGrid, { count, anchors, boxes }: Candidates): void {
  const { data, offset, anchorStep, channelStep } = grid;
  const box = new Float64Array(4);
  for (let i = 0, o = 0; i < count; i++, o += 4) {
    const at = offset + anchors[i] * anchorStep;
    for (let k = 0; k < 4; k++) box[k] = data[at + k * channelStep];
    DECODE[grid.code](box, anchors[i], grid);
    boxes.set(box, o);
  }
}

type BoxDecoder = (box: Float64Array, anchor: number, grid: BoxGrid) => void;

const DECODE: Readonly<Record<BoxGrid["code"], BoxDecoder>> = {
  corners: () => undefined,
  "corner-fractions": (box, _, grid) => scale(box, grid),
  center: (box) => cornersFromCenter(box),
  "strided-grid": (box, anchor, grid) => {
    let cell = anchor;
    for (const { stride, rows, columns } of grid.grids) {
      const cells = columns * rows;
      if (cell < cells) {
        box[0] = (box[0] + (cell % columns)) * stride;
        box[1] = (box[1] + Math.floor(cell / columns)) * stride;
        box[2] = Math.exp(box[2]) * stride;
        box[3] = Math.exp(box[3]) * stride;
        break;
      }
      cell -= cells;
    }
    cornersFromCenter(box);
  },
  cell: (box, anchor, grid) => {
    box[0] = (Math.tanh(box[0]) + (anchor % grid.columns)) / grid.columns;
    box[1] = (Math.tanh(box[1]) + Math.floor(anchor / grid.columns)) / grid.rows;
    box[2] = 1 / (1 + Math.exp(-box[2]));
    box[3] = 1 / (1 + Math.exp(-box[3]));
    cornersFromCenter(box);
    scale(box, grid);
  },
};

function cornersFromCenter(box: Float64Array): void {
  const halfWidth = box[2] / 2;
  const halfHeight = box[3] / 2;
  box[2] = box[0] + halfWidth;
  box[3] = box[1] + halfHeight;
  box[0] -= halfWidth;
  box[1] -= halfHeight;
}

function scale(box: Float64Array, { inputWidth, inputHeight }: BoxGrid): void {
  box[0] *= inputWidth;
  box[1] *= inputHeight;
  box[2] *= inputWidth;
  box[3] *= inputHeight;
}

/** Rows of six: box, score, class, as models that need no suppression give them. */
export function findEndToEnd(data: Float32Array, threshold: number, out: Candidates): void {
  out.count = 0;
  for (let a = 0, at = 0; at < data.length; a++, at += 6) {
    if (data[at + 4] >= threshold) push(out, a, Math.round(data[at + 5]), data[at + 4]);
  }
}
