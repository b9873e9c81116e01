/**
 * How detectors write boxes, as data: one row a family. A row says where box, objectness and class scores lie in the
 * output and how the box is coded; `decode.ts` reads any row. A new family is a new row.
 */

/** How four numbers of an anchor make a box. */
export type BoxCode =
  /** Centre, width, height; pixels of the network's input. */
  | "center"
  /** x1, y1, x2, y2; pixels of the input. */
  | "corners"
  /** x1, y1, x2, y2; fractions of the input. */
  | "corner-fractions"
  /** (x + column) * stride, (y + row) * stride, exp(w) * stride, exp(h) * stride, over `gridsOf`. */
  | "strided-grid"
  /** (tanh(x) + column) / columns, (tanh(y) + row) / rows, sigmoid(w), sigmoid(h); fractions of the input. */
  | "cell";

/** `channels-first` [1,C,N] or [1,C,H,W], `anchors-first` [1,N,C], or boxes [1,N,4] and scores [1,N,C] apart. */
export type Layout = "channels-first" | "anchors-first" | "boxes-and-scores";

/** How many anchors there must be, in terms of the cells of the grids in `GRIDS`. */
export type AnchorCount = "grid" | "three-grids" | "any";

export interface Decoder {
  readonly title: string;
  readonly layout: Layout;
  readonly rank: 3 | 4;
  readonly box: BoxCode;
  readonly anchors: AnchorCount;
  /** Channel of the objectness, and the powers in score = objectness^p * class^q. */
  readonly objectness?: { readonly channel: number; readonly power: number; readonly classPower: number };
  /** Channels of the first of the four box numbers and of the first class score. */
  readonly firstBox: number;
  readonly firstClass: number;
  /** Scores of a background class come first and are left out. */
  readonly background?: true;
  /** The boxes are final: channel 4 is the score, channel 5 the class, and nothing is suppressed. */
  readonly endToEnd?: true;
  /** The shape in words, for errors. */
  readonly shape: string;
}

export const DECODERS = {
  fastestdet: {
    title: "FastestDet",
    layout: "channels-first",
    rank: 4,
    box: "cell",
    anchors: "any",
    objectness: { channel: 0, power: 0.6, classPower: 0.4 },
    firstBox: 1,
    firstClass: 5,
    shape: "[1, 5 + classes, rows, columns]",
  },
  yolox: {
    title: "YOLOX",
    layout: "anchors-first",
    rank: 3,
    box: "strided-grid",
    anchors: "grid",
    objectness: { channel: 4, power: 1, classPower: 1 },
    firstBox: 0,
    firstClass: 5,
    shape: "[1, cells of strides (4,) 8, 16, 32, 5 + classes]",
  },
  yolov5: {
    title: "YOLOv5, YOLOv7, YOLOX decoded in the graph",
    layout: "anchors-first",
    rank: 3,
    box: "center",
    anchors: "three-grids",
    objectness: { channel: 4, power: 1, classPower: 1 },
    firstBox: 0,
    firstClass: 5,
    shape: "[1, 3 x cells of strides (4,) 8, 16, 32, 5 + classes]",
  },
  yolov8: {
    title: "YOLOv8, YOLO11",
    layout: "channels-first",
    rank: 3,
    box: "center",
    anchors: "grid",
    firstBox: 0,
    firstClass: 4,
    shape: "[1, 4 + classes, cells of strides (4,) 8, 16, 32]",
  },
  "end-to-end": {
    title: "YOLOv10, YOLO26 (end to end)",
    layout: "anchors-first",
    rank: 3,
    box: "corners",
    anchors: "any",
    firstBox: 0,
    firstClass: 4,
    endToEnd: true,
    shape: "[1, boxes, 6]",
  },
  ssd: {
    title: "SSD, RFB-320 (boxes and scores)",
    layout: "boxes-and-scores",
    rank: 3,
    box: "corner-fractions",
    anchors: "any",
    firstBox: 0,
    firstClass: 0,
    background: true,
    shape: "[1, boxes, 4] and [1, boxes, 1 + classes]",
  },
} as const satisfies Record<string, Decoder>;

export type DecoderName = keyof typeof DECODERS;
export const DECODER_NAMES = ["fastestdet", "yolox", "yolov5", "yolov8", "end-to-end", "ssd"] as const;

/** Cells, rows first; the stride in pixels of the network's input. */
export interface Grid {
  readonly stride: number;
  readonly rows: number;
  readonly columns: number;
}

export interface NamedDims {
  readonly name: string;
  readonly dims: readonly number[];
}

/** The outputs a decoder reads: one with everything, or boxes and scores. */
export interface Outputs {
  readonly boxes: NamedDims;
  readonly scores: NamedDims;
  readonly anchors: number;
  /** Classes without the background. */
  readonly classes: number;
}

export interface InputSize {
  readonly inputWidth: number;
  readonly inputHeight: number;
}

/** What `decoder` would read of these outputs; undefined where their shapes do not fit it. */
export function outputsFor(decoder: Decoder, outputs: readonly NamedDims[], input: InputSize): Outputs | undefined {
  const found = decoder.layout === "boxes-and-scores" ? boxesAndScores(outputs) : single(decoder, outputs);
  if (!found || found.classes < 1 || found.anchors < 1) return undefined;
  if (decoder.anchors !== "any" && !gridsOf(decoder, found.anchors, input)) return undefined;
  return found;
}

/** Decoders whose shapes these outputs have; the likeliest first. `yolov5` reads what fits `yolox` too, so comes after. */
export function fittingDecoders(outputs: readonly NamedDims[], input: InputSize): DecoderName[] {
  return DECODER_NAMES.filter((name) => outputsFor(DECODERS[name], outputs, input));
}

/** Strides of the grids that detectors look at: three, or four where small things are found at a quarter of the picture. */
const GRIDS = [
  [8, 16, 32],
  [4, 8, 16, 32],
] as const;

/**
 * The grids whose cells make up that many anchors; undefined where none do. A network may look at its input enlarged,
 * then its strides are fractions of a pixel of the input: its grids must cover the enlarged picture whole.
 */
export function gridsOf(decoder: Decoder, anchors: number, input: InputSize): readonly Grid[] | undefined {
  const counts = decoder.anchors === "three-grids" ? [anchors, anchors / 3] : [anchors];
  for (const count of counts) {
    for (const strides of GRIDS) {
      const zooms = [1, Math.sqrt(count / strides.reduce((sum, s) => sum + area(input) / s ** 2, 0))];
      const found = zooms
        .filter((zoom) => zoom === 1 || isWhole(input, zoom / Math.max(...strides)))
        .map((zoom) => strides.map((stride) => gridAt(stride / zoom, input)))
        .find((grids) => count === grids.reduce((sum, { rows, columns }) => sum + rows * columns, 0));
      if (found) return found;
    }
  }
  return undefined;
}

const SLIGHT = 1e-6;

function gridAt(stride: number, { inputWidth, inputHeight }: InputSize): Grid {
  const cells = (pixels: number) => Math.floor(pixels / stride + SLIGHT);
  return { stride, rows: cells(inputHeight), columns: cells(inputWidth) };
}

function isWhole({ inputWidth, inputHeight }: InputSize, share: number): boolean {
  return [inputWidth, inputHeight].every((pixels) => Math.abs(pixels * share - Math.round(pixels * share)) < SLIGHT);
}

function area({ inputWidth, inputHeight }: InputSize): number {
  return inputWidth * inputHeight;
}

function single(decoder: Decoder, outputs: readonly NamedDims[]): Outputs | undefined {
  const [output] = outputs;
  if (!output || outputs.length !== 1 || output.dims.length !== decoder.rank || output.dims[0] !== 1) return undefined;
  const [, second = 0, third = 0, fourth = 1] = output.dims;
  const channels = decoder.layout === "channels-first" ? second : third;
  const anchors = decoder.layout === "channels-first" ? third * fourth : second;
  if (decoder.endToEnd) return channels === 6 ? { boxes: output, scores: output, anchors, classes: 1 } : undefined;
  return { boxes: output, scores: output, anchors, classes: channels - decoder.firstClass };
}

function boxesAndScores(outputs: readonly NamedDims[]): Outputs | undefined {
  const [a, b] = outputs;
  if (!a || !b || outputs.length !== 2) return undefined;
  if (a.dims.length !== 3 || b.dims.length !== 3 || a.dims[0] !== 1 || b.dims[0] !== 1) return undefined;
  const anchors = a.dims[1] ?? 0;
  if (anchors !== b.dims[1]) return undefined;
  // Three classes and a background make scores as wide as boxes; then the name decides.
  const boxes = [a, b].find((o) => o.dims[2] === 4 && /box|loc/i.test(o.name)) ?? [a, b].find((o) => o.dims[2] === 4);
  const scores = boxes === a ? b : a;
  return boxes && { boxes, scores, anchors, classes: (scores.dims[2] ?? 0) - 1 };
}
