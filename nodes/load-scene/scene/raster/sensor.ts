/** The sensor: exposure, noise, colour or infrared's grey, rain before the lens, and eight bits a channel. */

import type { Exposure } from "./lens.ts";
import { hash } from "./noise.ts";

export interface Sensor {
  /** Mean brightness that the exposure aims at, 0..1 of the display's range. */
  readonly brightness: number;
  /** Largest gain: beyond it the picture stays dark. */
  readonly mostGain: number;
  /** Standard deviation of the noise in the middle of the range, 0..1. */
  readonly noise: number;
  /** Share of the noise that differs between channels, 0..1. */
  readonly chroma: number;
  readonly saturation: number;
  /** Gains of red and blue: the white balance's error. */
  readonly red: number;
  readonly blue: number;
  /** Steepness around the middle, 1: as is. */
  readonly contrast: number;
  readonly grey: boolean;
}

const BELL = 1 << 16;
const bell = gaussians();
const CURVE = makeCurve();
/** Made anew for each picture's contrast. */
const tones = new Float64Array(CURVE.length);

/** RGB bytes of an exposure. `seed` makes the noise of this frame. */
export function develop({ width, height, rgb }: Exposure, sensor: Sensor, seed: number): Uint8Array {
  const pixels = width * height;
  let sum = 0;
  for (let i = 1; i < pixels * 3; i += 9) sum += Math.sqrt(Math.min(1, Math.max(0, rgb[i])));
  const mean = (sum / Math.ceil((pixels * 3) / 9)) ** 2;
  const wanted = sensor.brightness ** 2.2;
  const gain = Math.min(sensor.mostGain, wanted / Math.max(1e-5, mean));
  const out = new Uint8Array(pixels * 3);
  const { saturation, chroma, red, blue, grey, noise } = sensor;
  const curve = toneCurve(sensor.contrast);
  let jump = Math.floor(hash(seed, 1, 5) * BELL);
  for (let y = 0; y < height; y++) {
    jump = (jump + Math.floor(hash(seed, y, 3) * 4093)) & (BELL - 1);
    const stripe = bell[(jump * 7) & (BELL - 1)] * noise * 0.15;
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      let r = curve[Math.min(4095, Math.sqrt(Math.max(0, rgb[at] * gain * red)) * 2047.5) | 0];
      let g = curve[Math.min(4095, Math.sqrt(Math.max(0, rgb[at + 1] * gain)) * 2047.5) | 0];
      let b = curve[Math.min(4095, Math.sqrt(Math.max(0, rgb[at + 2] * gain * blue)) * 2047.5) | 0];
      const luma = 0.3 * r + 0.59 * g + 0.11 * b;
      const amount = noise * (0.55 + 0.9 * luma * (1 - 0.5 * luma));
      const n = bell[(jump + x) & (BELL - 1)] * amount + stripe;
      if (grey) {
        r = luma + n;
        g = r;
        b = r;
      } else {
        r = luma + (r - luma) * saturation + n + bell[(jump * 3 + x) & (BELL - 1)] * amount * chroma;
        g = luma + (g - luma) * saturation + n;
        b = luma + (b - luma) * saturation + n + bell[(jump * 5 + x * 3) & (BELL - 1)] * amount * chroma;
      }
      out[at] = r <= 0 ? 0 : r >= 1 ? 255 : r * 255 + 0.5;
      out[at + 1] = g <= 0 ? 0 : g >= 1 ? 255 : g * 255 + 0.5;
      out[at + 2] = b <= 0 ? 0 : b >= 1 ? 255 : b * 255 + 0.5;
    }
  }
  return out;
}

/**
 * Linear light to the display's values, by the square root of the light, 0..4: a gamma with a soft shoulder, then the
 * contrast about the middle.
 */
function toneCurve(contrast: number): Float64Array {
  for (let i = 0; i < CURVE.length; i++) tones[i] = 0.5 + (CURVE[i] - 0.5) * contrast;
  return tones;
}

function makeCurve(): Float32Array {
  return Float32Array.from({ length: 4096 }, (_, i) => {
    const light = (i / 2047.5) ** 2;
    const soft = light < 0.6 ? light : 0.6 + 0.4 * (1 - Math.exp(-(light - 0.6) / 0.4));
    return soft ** (1 / 2.2);
  });
}

/** Sums of four uniforms, of mean 0 and deviation 1. */
function gaussians(): Float32Array {
  return Float32Array.from({ length: BELL }, (_, i) => {
    const sum = hash(i, 0, 11) + hash(i, 1, 12) + hash(i, 2, 13) + hash(i, 3, 14);
    return (sum - 2) * Math.sqrt(3);
  });
}
