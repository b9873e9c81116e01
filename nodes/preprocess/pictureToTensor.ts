/** A picture to the network's input tensor: resize, letterbox, colour order, normalisation, layout and type in one go. */
import { DataType } from "../../onnx/ir/dataType.ts";
import type { HostTensor } from "../../onnx/ir/hostTensor.ts";
import { floatToHalf } from "../../onnx/kernels/floatToHalf.ts";
import { type PackedArray, type PackTarget, packPad, packRow } from "../../onnx/kernels/packRow.ts";
import { createResizer, type Resizer } from "../../onnx/kernels/resize.ts";
import type { FrameTransform } from "../ports.ts";
import { type PictureSize, type Placement, placePicture } from "./geometry.ts";
import type { PreprocessParams } from "./schema.ts";

export interface RgbPicture extends PictureSize {
  readonly rgb: Uint8Array;
}

export interface Preprocessed {
  /** [1,3,height,width] or [1,height,width,3]. */
  readonly tensor: HostTensor;
  readonly transform: FrameTransform;
}

/**
 * Tables are made once, the resizer again only where the picture's size changes. Each call fills a new tensor, since
 * its reader may keep it, unless `into` (of the input's size and type) is given.
 */
export function createPreprocessor(params: PreprocessParams) {
  const { width, height } = params;
  const type = ELEMENT[params.dtype];
  const order = params.colorOrder === "RGB" ? ([0, 1, 2] as const) : ([2, 1, 0] as const);
  const planar = params.layout === "NCHW";
  const place = (c: 0 | 1 | 2) => order[c] * (planar ? width * height : 1);
  const table = (c: 0 | 1 | 2) => type.table((value) => normalise(value, order[c], params));
  const frame = {
    tables: [table(0), table(1), table(2)],
    bases: [place(0), place(1), place(2)],
    step: planar ? 1 : 3,
  } satisfies Omit<PackTarget, "data">;
  const dims = planar ? [1, 3, height, width] : [1, height, width, 3];
  let last: { readonly placement: Placement; readonly resize: Resizer } | undefined;

  return (picture: RgbPicture, into?: PackedArray): Preprocessed => {
    if (last?.placement.sourceWidth !== picture.width || last.placement.sourceHeight !== picture.height) {
      const placement = placePicture(picture, params);
      last = { placement, resize: createResizer(placement, params.interpolation) };
    }
    const { placement, resize } = last;
    const target: PackTarget = { ...frame, data: into ?? type.create(3 * width * height) };
    if (placement.windowWidth < width || placement.windowHeight < height) packPad(target, params.pad);
    resize(picture.rgb, (y, row) => packRow(row, target, (placement.top + y) * width + placement.left));
    return { tensor: { dataType: type.dataType, dims, data: target.data }, transform: placement.transform };
  };
}

function normalise(value: number, channel: 0 | 1 | 2, { scale, mean, std }: PreprocessParams): number {
  return (value * scale - (mean[channel] ?? 0)) / (std[channel] ?? 1);
}

const ELEMENT = {
  f32: {
    dataType: DataType.FLOAT,
    create: (length: number) => new Float32Array(length),
    table: (of: (value: number) => number) => Float32Array.from({ length: 256 }, (_, i) => of(i)),
  },
  f16: {
    dataType: DataType.FLOAT16,
    create: (length: number) => new Uint16Array(length),
    table: (of: (value: number) => number) => Uint16Array.from({ length: 256 }, (_, i) => floatToHalf(of(i))),
  },
  u8: {
    dataType: DataType.UINT8,
    create: (length: number) => new Uint8Array(length),
    table: (of: (value: number) => number) => new Uint8Array(Uint8ClampedArray.from({ length: 256 }, (_, i) => of(i))),
  },
};
