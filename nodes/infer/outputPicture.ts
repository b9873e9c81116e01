/**
 * What a network answered, as a picture for its node's face: where the largest value over the channels is, for outputs
 * with a height and a width; else the matrix of its last two dimensions, rows as they come.
 */
import sharp from "sharp";
import { DataType } from "../../onnx/ir/dataType.ts";
import type { HostTensor, HostTensors } from "../../onnx/ir/hostTensor.ts";
import { halfToFloat } from "../../onnx/ir/tensor.ts";

const MAX_SIDE = 160;

interface Grid {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** PNG bytes of the first output. */
export async function outputPicture(outputs: HostTensors): Promise<Uint8Array> {
  const [first] = Object.values(outputs);
  const { width, height, values } = first ? grid(first) : { width: 1, height: 1, values: new Float32Array(1) };
  return sharp(shades(values), { raw: { width, height, channels: 3 } })
    .resize({ width: MAX_SIDE, height: Math.min(MAX_SIDE, Math.max(48, height)), fit: "inside", kernel: "nearest" })
    .png()
    .toBuffer();
}

function grid(tensor: HostTensor): Grid {
  const [height, width] = [tensor.dims.at(-2) ?? 1, tensor.dims.at(-1) ?? 1];
  const at = reader(tensor);
  return tensor.dims.length >= 4 ? strongest(at, tensor, { width, height }) : sampled(at, { width, height });
}

/** Over the channels of the first picture. */
function strongest(at: (i: number) => number, { dims }: HostTensor, { width, height }: Omit<Grid, "values">): Grid {
  const channels = dims.slice(1, -2).reduce((product, dim) => product * dim, 1);
  const values = new Float32Array(width * height).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < channels * width * height; i++) {
    const cell = i % (width * height);
    values[cell] = Math.max(values[cell] ?? 0, at(i));
  }
  return { width, height, values };
}

/** Long outputs (a row for each candidate box) are thinned out evenly. */
function sampled(at: (i: number) => number, { width, height }: Omit<Grid, "values">): Grid {
  const [columns, rows] = [Math.min(width, MAX_SIDE), Math.min(height, MAX_SIDE)];
  const values = new Float32Array(columns * rows);
  for (let y = 0; y < rows; y++) {
    const row = Math.floor((y * height) / rows) * width;
    for (let x = 0; x < columns; x++) values[y * columns + x] = at(row + Math.floor((x * width) / columns));
  }
  return { width: columns, height: rows, values };
}

function reader({ dataType, data }: HostTensor): (i: number) => number {
  if (dataType === DataType.FLOAT16) return (i) => halfToFloat(Number(data[i] ?? 0));
  return (i) => Number(data[i] ?? 0);
}

/** Dark green to light, between the 2nd and the 98th percentile, so that one outlier does not hide the rest. */
function shades(values: Float32Array): Uint8Array {
  const sorted = values.filter(Number.isFinite).sort();
  const low = sorted[Math.floor(sorted.length * 0.02)] ?? 0;
  const high = sorted[Math.ceil(sorted.length * 0.98) - 1] ?? 1;
  const pixels = new Uint8Array(values.length * 3);
  for (const [i, value] of values.entries()) {
    const t = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0;
    pixels.set([20 + 200 * t * t, 30 + 210 * t, 34 + 170 * t], i * 3);
  }
  return pixels;
}
