/** Rain between the scene and the lens, and the text that cameras write over their picture. */
import type { Exposure } from "./lens.ts";
import { hash } from "./noise.ts";

export interface Rain {
  /** Streaks a million pixels. */
  readonly density: number;
  /** Length as a share of the picture's height, and how far they lean. */
  readonly length: number;
  readonly slant: number;
  /** Light they add, as a share of the picture's mean. */
  readonly light: number;
}

export function drawRain({ width, height, rgb }: Exposure, rain: Rain, seed: number): void {
  let sum = 0;
  for (let i = 1; i < rgb.length; i += 33) sum += rgb[i];
  const mean = (sum * 33) / rgb.length;
  const count = Math.round((rain.density * width * height) / 1e6);
  for (let i = 0; i < count; i++) {
    const near = 0.3 + hash(i, 2, seed) ** 3;
    const length = rain.length * height * near;
    const x0 = hash(i, 0, seed) * width;
    const y0 = hash(i, 1, seed) * (height + length) - length;
    const light = rain.light * mean * (0.3 + 0.7 * hash(i, 3, seed));
    for (let step = 0; step < length; step++) {
      const x = Math.floor(x0 + rain.slant * step);
      const y = Math.floor(y0 + step);
      if (x < 0 || x >= width || y < 0 || y >= height) continue;
      const fade = light * Math.min(1, Math.min(step, length - step) / (0.3 * length));
      const at = (y * width + x) * 3;
      rgb[at] += fade;
      rgb[at + 1] += fade;
      rgb[at + 2] += fade;
    }
  }
}

/** 3 x 5 glyphs, rows of three bits from the top. */
const GLYPHS: Readonly<Record<string, number>> = {
  "0": 0o75557,
  "1": 0o26227,
  "2": 0o71747,
  "3": 0o71717,
  "4": 0o55711,
  "5": 0o74717,
  "6": 0o74757,
  "7": 0o71222,
  "8": 0o75757,
  "9": 0o75717,
  "-": 0o00700,
  ":": 0o02020,
  "/": 0o11244,
  A: 0o25755,
  C: 0o74447,
  E: 0o74647,
  M: 0o57755,
  O: 0o75557,
  R: 0o75655,
  D: 0o65556,
  Y: 0o55222,
};

export interface Caption {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** Picture pixels a glyph's dot. */
  readonly dot: number;
}

/** Writes white on the finished bytes. */
export function drawCaption(bytes: Uint8Array, width: number, { text, x, y, dot }: Caption): void {
  const height = bytes.length / 3 / width;
  for (let i = 0; i < text.length; i++) {
    const glyph = GLYPHS[text[i]] ?? 0;
    for (let row = 0; row < 5 * dot; row++) {
      for (let column = 0; column < 3 * dot; column++) {
        const bit = 14 - (Math.floor(row / dot) * 3 + Math.floor(column / dot));
        const px = x + i * 4 * dot + column;
        const py = y + row;
        if (((glyph >> bit) & 1) === 0 || px >= width || py >= height) continue;
        bytes.fill(235, (py * width + px) * 3, (py * width + px) * 3 + 3);
      }
    }
  }
}
