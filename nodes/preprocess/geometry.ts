/**
 * Where a picture lies in the network's input.
 *
 * letterbox-topleft rounds the resized sides down, as YOLOX's `preproc` does; letterbox-center rounds to the nearest
 * (ties to even, as Python) and puts the odd pixel of the border right and below, as Ultralytics' `LetterBox`; crop
 * scales the picture to cover the input and cuts the middle out.
 */
import type { ResizeGeometry } from "../../onnx/kernels/resize.ts";
import type { FrameTransform } from "../ports.ts";
import type { PreprocessParams } from "./schema.ts";

export interface Placement extends ResizeGeometry {
  /** Top-left corner of the window in the network's input, pixels. */
  readonly left: number;
  readonly top: number;
  readonly transform: FrameTransform;
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

export function placePicture(source: PictureSize, params: PreprocessParams): Placement {
  const { width, height, left, top } = scaledBox(source, params);
  const shift = { x: Math.max(0, -left), y: Math.max(0, -top) };
  return {
    sourceWidth: source.width,
    sourceHeight: source.height,
    width,
    height,
    ...shift,
    windowWidth: Math.min(width, params.width),
    windowHeight: Math.min(height, params.height),
    left: Math.max(0, left),
    top: Math.max(0, top),
    transform: {
      scaleX: width / source.width,
      scaleY: height / source.height,
      offsetX: left,
      offsetY: top,
      inputWidth: params.width,
      inputHeight: params.height,
    },
  };
}

/** The whole resized picture in coordinates of the input; it may be larger than the input. */
function scaledBox(source: PictureSize, { mode, width, height }: PreprocessParams) {
  if (mode === "stretch") return { width, height, left: 0, top: 0 };
  const fits = [width / source.width, height / source.height];
  const ratio = mode === "crop" ? Math.max(...fits) : Math.min(...fits);
  const round = mode === "letterbox-topleft" ? Math.floor : roundHalfEven;
  const w = Math.max(1, round(source.width * ratio));
  const h = Math.max(1, round(source.height * ratio));
  if (mode === "letterbox-topleft") return { width: w, height: h, left: 0, top: 0 };
  return { width: w, height: h, left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2) };
}

function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
