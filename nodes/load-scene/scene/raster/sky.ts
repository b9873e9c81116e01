/** Behind everything: a sky from horizon to zenith, with clouds, or one even darkness. */
import type { Canvas, Rgb } from "./canvas.ts";
import { smooth } from "./noise.ts";

export interface Sky {
  readonly horizon: Rgb;
  readonly zenith: Rgb;
  readonly clouds: Rgb;
  /** 0..1 of the sky that clouds cover. */
  readonly cover: number;
  /** Moves the clouds. */
  readonly seed: number;
}

/** Fills what nothing has been drawn on. */
export function drawSky({ width, height, camera, rgb, near }: Canvas, sky: Sky): void {
  const { right, down, forward } = camera;
  for (let y = 0; y < height; y++) {
    const ry = (y + 0.5 - camera.centreY) / camera.focal;
    for (let x = 0; x < width; x++) {
      if (near[y * width + x] > 0) continue;
      const rx = (x + 0.5 - camera.centreX) / camera.focal;
      const rise = rx * right[1] + ry * down[1] + forward[1];
      const t = rise <= 0 ? 0 : Math.min(1, rise * 1.6);
      let cloud = 0;
      if (rise > 0.01 && sky.cover > 0) {
        const wx = (rx * right[0] + ry * down[0] + forward[0]) / (rise + 0.15);
        const wz = (rx * right[2] + ry * down[2] + forward[2]) / (rise + 0.15);
        cloud = Math.max(0, smooth(wx * 9 + sky.seed, wz * 9 + sky.seed * 3) - 1 + sky.cover) / sky.cover;
      }
      const at = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) {
        const clear = sky.horizon[c] + (sky.zenith[c] - sky.horizon[c]) * t;
        rgb[at + c] = clear + (sky.clouds[c] - clear) * cloud;
      }
    }
  }
}
