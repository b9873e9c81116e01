/**
 * Rows of a convolution as a linear system: what the weights of one group see at some output positions, and what came
 * out there. Two spatial dimensions, NCHW; a matrix product is a convolution of 1x1.
 */

export interface ConvGeometry {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Top and left. */
  readonly pads: readonly [number, number];
}

export interface Image {
  readonly data: Float32Array;
  /** N, C, H, W. */
  readonly dims: readonly number[];
}

/** Output positions as n * H * W + y * W + x. */
export type Positions = Int32Array;

/**
 * Column-major [channels * kernel (+ 1), rows]: regressor (c, ky, kx) of each position, zero where it lies in the
 * padding; a last column of ones, for the bias.
 */
export function gatherInputs(
  x: Image,
  channels: { readonly from: number; readonly count: number },
  at: { readonly positions: Positions; readonly outHeight: number; readonly outWidth: number },
  geometry: ConvGeometry,
): Float32Array {
  const [, c, h, w] = x.dims;
  const { positions, outHeight, outWidth } = at;
  const rows = positions.length;
  const [kh, kw] = geometry.kernel;
  const columns = new Float32Array((channels.count * kh * kw + 1) * rows);
  for (let r = 0; r < rows; r++) {
    const n = Math.floor(positions[r] / (outHeight * outWidth));
    const oy = Math.floor(positions[r] / outWidth) % outHeight;
    const ox = positions[r] % outWidth;
    for (let ky = 0; ky < kh; ky++) {
      const iy = oy * geometry.strides[0] + ky * geometry.dilations[0] - geometry.pads[0];
      if (iy < 0 || iy >= h) continue;
      for (let kx = 0; kx < kw; kx++) {
        const ix = ox * geometry.strides[1] + kx * geometry.dilations[1] - geometry.pads[1];
        if (ix < 0 || ix >= w) continue;
        let from = ((n * c + channels.from) * h + iy) * w + ix;
        let to = (ky * kw + kx) * rows + r;
        for (let i = 0; i < channels.count; i++) {
          columns[to] = x.data[from];
          from += h * w;
          to += kh * kw * rows;
        }
      }
    }
  }
  columns.fill(1, channels.count * kh * kw * rows);
  return columns;
}

/** Column-major [channels, rows]: the given channels of an output at each position. */
export function gatherOutputs(y: Image, channels: readonly number[], positions: Positions): Float32Array {
  const [, c, h, w] = y.dims;
  const plane = h * w;
  const rows = positions.length;
  const columns = new Float32Array(channels.length * rows);
  for (let r = 0; r < rows; r++) {
    const n = Math.floor(positions[r] / plane);
    const at = positions[r] % plane;
    for (let i = 0; i < channels.length; i++) columns[i * rows + r] = y.data[(n * c + channels[i]) * plane + at];
  }
  return columns;
}

/** `count` different positions of `total`, ascending, from a fixed sequence; all of them where there are no more. */
export function samplePositions(total: number, count: number, seed: number): Positions {
  if (count >= total) return Int32Array.from({ length: total }, (_, i) => i);
  const positions = new Int32Array(count);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const start = Math.floor((i * total) / count);
    const end = Math.floor(((i + 1) * total) / count);
    positions[i] = start + Math.floor((state / 2 ** 32) * (end - start));
  }
  return positions;
}
