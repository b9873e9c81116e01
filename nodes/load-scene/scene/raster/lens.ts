/**
 * The lens: barrel distortion, softness and vignette, from the larger, finer canvas to the picture. Boxes are read from
 * the owners seen through the same lens, so they are exact to a pixel after distortion.
 */
import type { Canvas } from "./canvas.ts";

export interface Lens {
  /** Radial distortion: r' = r (1 + k1 r^2 + k2 r^4), r = 1 at the picture's corner; negative k1 is a barrel. */
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
  for (let pass = 0; pass < lens.softness; pass++) soften(canvas);
  const { width, height, rgb, owner } = out;
  const reach = (width * width + height * height) / 4;
  const most = canvas.width - 1.001;
  const lowest = canvas.height - 1.001;
  const stride = canvas.width * 3;
  for (let y = 0; y < height; y++) {
    const dy = y + 0.5 - height / 2;
    for (let x = 0; x < width; x++) {
      const dx = x + 0.5 - width / 2;
      const r = (dx * dx + dy * dy) / reach;
      const bend = (1 + r * (lens.k1 + r * lens.k2)) * scale;
      // The filter mixes a pixel with its right and lower neighbours, so its content sits half a pixel down and right.
      const shift = 0.5 + lens.softness * 0.5;
      const sx = Math.min(most, Math.max(0, canvas.width / 2 + dx * bend - shift));
      const sy = Math.min(lowest, Math.max(0, canvas.height / 2 + dy * bend - shift));
      const x0 = Math.floor(sx);
      const y0 = Math.floor(sy);
      const a = sx - x0;
      const b = sy - y0;
      const from = (y0 * canvas.width + x0) * 3;
      const light = 1 - lens.vignette * r * (0.4 + 0.6 * r);
      const to = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) {
        const top = canvas.rgb[from + c] + (canvas.rgb[from + 3 + c] - canvas.rgb[from + c]) * a;
        const under = from + stride + c;
        const bottom = canvas.rgb[under] + (canvas.rgb[under + 3] - canvas.rgb[under]) * a;
        rgb[to + c] = (top + (bottom - top) * b) * light;
      }
      const nx = Math.min(canvas.width - 1, Math.max(0, Math.floor(canvas.width / 2 + dx * bend)));
      const ny = Math.min(canvas.height - 1, Math.max(0, Math.floor(canvas.height / 2 + dy * bend)));
      owner[y * width + x] = canvas.owner[ny * canvas.width + nx];
    }
  }
}

/** Each pixel becomes the mean of itself and its right and lower neighbours. */
function soften({ width, height, rgb }: Canvas): void {
  const stride = width * 3;
  for (let y = 0; y < height; y++) {
    const down = y + 1 < height ? stride : 0;
    const row = y * stride;
    for (let i = row; i < row + stride - 3; i++) {
      rgb[i] = (rgb[i] + rgb[i + 3] + rgb[i + down] + rgb[i + 3 + down]) * 0.25;
    }
  }
}
