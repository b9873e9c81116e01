/** Pixels as a browser's canvas gives them to those that a preprocess reads: alpha is left out. */

/** `rgba` is width x height x 4; `rgb`, width x height x 3, is filled. */
export function rgbaToRgb(rgba: Uint8ClampedArray, rgb: Uint8Array): void {
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
}
