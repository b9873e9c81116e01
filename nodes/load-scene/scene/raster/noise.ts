/** Noise from one fixed tile: what makes plaster, cloth and leaves look like themselves, at a look-up a pixel. */

const SIZE = 256;
const MASK = SIZE - 1;
const tile = makeTile();

/** An integer hash to [0, 1). */
export function hash(x: number, y: number, seed: number): number {
  let h = Math.imul(x | 0, 0x27d4eb2d) ^ Math.imul(y | 0, 0x165667b1) ^ Math.imul(seed | 0, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

/** Cloudy noise of period 256, about uniform in [0, 1]; interpolated. */
export function smooth(u: number, v: number): number {
  // A whole number of periods makes them positive: cutting off is then rounding down.
  const pu = u + 65_536;
  const pv = v + 65_536;
  const fu = pu | 0;
  const fv = pv | 0;
  const a = pu - fu;
  const b = pv - fv;
  const x0 = fu & MASK;
  const x1 = (fu + 1) & MASK;
  const y0 = (fv & MASK) << 8;
  const y1 = ((fv + 1) & MASK) << 8;
  const left = tile[y0 + x0];
  const lower = tile[y1 + x0];
  const top = left + (tile[y0 + x1] - left) * a;
  return top + (lower + (tile[y1 + x1] - lower) * a - top) * b;
}

/** Octaves of value noise that wrap around, stretched so that a tenth lies at either end. */
function makeTile(): Float32Array {
  const out = new Float32Array(SIZE * SIZE);
  for (let octave = 0; octave < 6; octave++) {
    const cells = 8 << octave;
    const step = SIZE / cells;
    const gain = 0.62 ** octave;
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        const cx = Math.floor(x / step);
        const cy = Math.floor(y / step);
        const a = ease(x / step - cx);
        const b = ease(y / step - cy);
        const at = (i: number, j: number) => hash((cx + i) % cells, (cy + j) % cells, 71 + octave);
        const top = at(0, 0) + (at(1, 0) - at(0, 0)) * a;
        const bottom = at(0, 1) + (at(1, 1) - at(0, 1)) * a;
        out[y * SIZE + x] += gain * (top + (bottom - top) * b);
      }
    }
  }
  const sorted = Float32Array.from(out).sort();
  const low = sorted[Math.floor(sorted.length * 0.05)];
  const high = sorted[Math.floor(sorted.length * 0.95)];
  return out.map((x) => Math.min(1, Math.max(0, (x - low) / (high - low))));
}

function ease(t: number): number {
  return t * t * (3 - 2 * t);
}
