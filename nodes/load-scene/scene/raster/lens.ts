/**
 * The lens: barrel distortion, softness and vignette, from the larger, finer canvas to the picture. Boxes are read from
 * the owners seen through the same lens, so they are exact to a pixel after distortion.
 */
import type { Canvas } from "./canvas.ts";

export interface Lens {
  /** A barrel: a point at r of the picture (1 at its corner) shows what lies at r (1 + k1 r^2 + k2 r^4), both 0 or more. */
  readonly k1: number;
  readonly k2: number;
  /** Light lost in the corners, 0..1. */
  readonly vignette: number;
  /** Radius of softness in canvas pixels: 1 or 2 (each a box filter of that reach). */
  readonly softness: number;
}

export interface Exposure {
  readonly width: number;
  readonly height: number;
  /** Linear light. */
  readonly rgb: Float32Array;
  readonly owner: Uint8Array;
}

/** `scale` is canvas pixels a picture's pixel. */
export function expose(canvas: Canvas, lens: Lens, out: Exposure, scale: number): void {
  soften(canvas, lens.softness);
  const { width, height, rgb, owner } = out;
  const { k1, k2, vignette } = lens;
  const from = canvas.rgb;
  const owners = canvas.owner;
  const columns = canvas.width;
  const halfX = columns / 2;
  const halfY = canvas.height / 2;
  const reach = 4 / (width * width + height * height);
  const most = columns - 1.001;
  const lowest = canvas.height - 1.001;
  const stride = columns * 3;
  // The filter mixes a pixel with its right and lower neighbours, so its content sits half a pixel down and right.
  const shift = 0.5 + lens.softness * 0.5;
  for (let y = 0; y < height; y++) {
    const dy = y + 0.5 - height / 2;
    for (let x = 0; x < width; x++) {
      const dx = x + 0.5 - width / 2;
      const r = (dx * dx + dy * dy) * reach;
      const bend = (1 + r * (k1 + r * k2)) * scale;
      const cx = halfX + dx * bend;
      const cy = halfY + dy * bend;
      const sx = Math.min(most, Math.max(0, cx - shift));
      const sy = Math.min(lowest, Math.max(0, cy - shift));
      const x0 = sx | 0;
      const y0 = sy | 0;
      const b = sy - y0;
      const light = 1 - vignette * r * (0.4 + 0.6 * r);
      const right = (sx - x0) * light;
      const left = light - right;
      const at = (y0 * columns + x0) * 3;
      const under = at + stride;
      const to = (y * width + x) * 3;
      const a0 = left * (1 - b);
      const a1 = right * (1 - b);
      const b0 = left * b;
      const b1 = right * b;
      rgb[to] = from[at] * a0 + from[at + 3] * a1 + from[under] * b0 + from[under + 3] * b1;
      rgb[to + 1] = from[at + 1] * a0 + from[at + 4] * a1 + from[under + 1] * b0 + from[under + 4] * b1;
      rgb[to + 2] = from[at + 2] * a0 + from[at + 5] * a1 + from[under + 2] * b0 + from[under + 5] * b1;
      owner[y * width + x] = owners[(cy | 0) * columns + (cx | 0)];
    }
  }
}

/**
 * In each pass a pixel becomes the mean of itself and its right and lower neighbours. A pass follows the one before it by
 * a row, so the canvas goes through the processor's cache once.
 */
function soften({ width, height, rgb }: Canvas, passes: number): void {
  for (let y = 0; y < height + passes - 1; y++) {
    for (let pass = 0; pass < passes; pass++) {
      const row = y - pass;
      if (row >= 0 && row < height) softenRow(rgb, row * width * 3, width, row + 1 < height);
    }
  }
}

function softenRow(rgb: Float32Array, from: number, width: number, hasNext: boolean): void {
  const down = hasNext ? width * 3 : 0;
  let [a0, a1, a2] = [rgb[from], rgb[from + 1], rgb[from + 2]];
  let [c0, c1, c2] = [rgb[from + down], rgb[from + down + 1], rgb[from + down + 2]];
  const end = from + (width - 1) * 3;
  for (let i = from; i < end; i += 3) {
    const b0 = rgb[i + 3];
    const b1 = rgb[i + 4];
    const b2 = rgb[i + 5];
    const d0 = rgb[i + down + 3];
    const d1 = rgb[i + down + 4];
    const d2 = rgb[i + down + 5];
    rgb[i] = (a0 + b0 + c0 + d0) * 0.25;
    rgb[i + 1] = (a1 + b1 + c1 + d1) * 0.25;
    rgb[i + 2] = (a2 + b2 + c2 + d2) * 0.25;
    a0 = b0;
    a1 = b1;
    a2 = b2;
    c0 = d0;
    c1 = d1;
    c2 = d2;
  }
}
