/** Colours as paint: linear RGB from what people write and from hue, saturation and value. */
import type { Rgb } from "./raster/canvas.ts";

/** `#rrggbb` to linear light. */
export function hex(text: string): Rgb {
  const at = (i: number) => linear(Number.parseInt(text.slice(i, i + 2), 16) / 255);
  return [at(1), at(3), at(5)];
}

/** Hue in turns; saturation and value 0..1, of the display. */
export function hsv(hue: number, saturation: number, value: number): Rgb {
  const channel = (shift: number): number => {
    const k = (shift + hue * 6) % 6;
    return linear(value - value * saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

export function scaled([r, g, b]: Rgb, by: number): Rgb {
  return [r * by, g * by, b * by];
}

export function mixed(a: Rgb, b: Rgb, t: number): Rgb {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}

function linear(value: number): number {
  return value ** 2.2;
}
