/**
 * Resizing RGB pictures of 8 bits as OpenCV's `resize` does: INTER_LINEAR exactly, INTER_AREA and INTER_CUBIC within
 * 1 of 255. The result comes row by row, so that a preprocess packs each while it lies in the nearest cache.
 */
import {
  type AreaTaps,
  type Axis,
  areaTaps,
  cubicTaps,
  type FixedTaps,
  linearTaps,
  WEIGHT_BITS,
} from "./resizeTaps.ts";

export type Interpolation = "linear" | "area" | "cubic";

export interface ResizeGeometry {
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  /** Size of the whole resized picture. */
  readonly width: number;
  readonly height: number;
  /** The part of it that is wanted. */
  readonly x: number;
  readonly y: number;
  readonly windowWidth: number;
  readonly windowHeight: number;
}

/** Gets the wanted rows from the top; `row` (windowWidth x 3) is valid during the call only. */
export type RowSink = (y: number, row: Uint8Array) => void;
export type Resizer = (rgb: Uint8Array, sink: RowSink) => void;

/** Tables and buffers for one geometry, used again for each picture of that size. */
export function createResizer(geometry: ResizeGeometry, interpolation: Interpolation): Resizer {
  const { sourceWidth, sourceHeight, width, height, windowWidth, windowHeight } = geometry;
  const across: Axis = { source: sourceWidth, scaled: width, from: geometry.x, length: windowWidth, step: 3 };
  const down: Axis = {
    source: sourceHeight,
    scaled: height,
    from: geometry.y,
    length: windowHeight,
    step: sourceWidth * 3,
  };
  if (sourceWidth === width && sourceHeight === height) return copier(geometry);
  const shrinks = sourceWidth >= width && sourceHeight >= height;
  const halves = sourceWidth === 2 * width && sourceHeight === 2 * height;
  // OpenCV takes the mean of 2 x 2 for both when a picture is halved.
  if (halves && interpolation !== "cubic") return halver(geometry);
  if (interpolation === "area" && shrinks) return areaResizer(areaTaps(across), areaTaps(down), down.step);
  if (interpolation === "cubic") return cubicResizer(cubicTaps(across), cubicTaps(down), down.step);
  const area = interpolation === "area";
  return linearResizer(linearTaps(across, area, true), linearTaps(down, area, false));
}

function copier({ sourceWidth, x, y, windowWidth, windowHeight }: ResizeGeometry): Resizer {
  return (rgb, sink) => {
    for (let i = 0; i < windowHeight; i++) {
      const from = ((y + i) * sourceWidth + x) * 3;
      sink(i, rgb.subarray(from, from + windowWidth * 3));
    }
  };
}

function halver({ sourceWidth, x, y, windowWidth, windowHeight }: ResizeGeometry): Resizer {
  const row = new Uint8Array(windowWidth * 3);
  const stride = sourceWidth * 3;
  return (rgb, sink) => {
    for (let i = 0; i < windowHeight; i++) {
      let s = (y + i) * 2 * stride + x * 6;
      for (let d = 0; d < row.length; d += 3, s += 6) {
        for (let c = 0; c < 3; c++) {
          const at = s + c;
          row[d + c] = (rgb[at] + rgb[at + 3] + rgb[at + stride] + rgb[at + stride + 3] + 2) >> 2;
        }
      }
      sink(i, row);
    }
  };
}

function linearResizer(across: FixedTaps, down: FixedTaps): Resizer {
  const row = new Uint8Array((across.indices.length / 2) * 3);
  const lines = new Int32Array(4);
  return (rgb, sink) => {
    for (let t = 0; t < down.indices.length; t += 2) {
      lines[0] = down.indices[t];
      lines[1] = down.indices[t + 1];
      lines[2] = down.weights[t];
      lines[3] = down.weights[t + 1];
      linearRow(rgb, lines, across, row);
      sink(t / 2, row);
    }
  };
}

/**
 * One row from two source rows: `lines` has their offsets and weights. Both passes in one: it is faster than keeping the
 * horizontal one. The shifts are those of OpenCV's VResizeLinear for 8 bits, whose results they give bit for bit.
 */
function linearRow(rgb: Uint8Array, lines: Int32Array, { indices, weights }: FixedTaps, row: Uint8Array): void {
  const above = lines[0];
  const below = lines[1];
  const wAbove = lines[2];
  const wBelow = lines[3];
  for (let d = 0, t = 0; d < row.length; d += 3, t += 2) {
    const left = indices[t];
    const right = indices[t + 1];
    const wl = weights[t];
    const wr = weights[t + 1];
    const al = above + left;
    const ar = above + right;
    const bl = below + left;
    const br = below + right;
    const r = ((wAbove * ((rgb[al] * wl + rgb[ar] * wr) >> 4)) >> 16) + 2;
    row[d] = (r + ((wBelow * ((rgb[bl] * wl + rgb[br] * wr) >> 4)) >> 16)) >> 2;
    const g = ((wAbove * ((rgb[al + 1] * wl + rgb[ar + 1] * wr) >> 4)) >> 16) + 2;
    row[d + 1] = (g + ((wBelow * ((rgb[bl + 1] * wl + rgb[br + 1] * wr) >> 4)) >> 16)) >> 2;
    const b = ((wAbove * ((rgb[al + 2] * wl + rgb[ar + 2] * wr) >> 4)) >> 16) + 2;
    row[d + 2] = (b + ((wBelow * ((rgb[bl + 2] * wl + rgb[br + 2] * wr) >> 4)) >> 16)) >> 2;
  }
}

/** Horizontal pass for the source rows that are needed, kept while they are; vertical pass over four of them. */
function cubicResizer(across: FixedTaps, down: FixedTaps, stride: number): Resizer {
  const values = (across.indices.length / 4) * 3;
  const row = new Uint8ClampedArray(values);
  const bytes = new Uint8Array(row.buffer);
  const slots = Array.from({ length: 4 }, () => new Int32Array(values));
  const held = new Int32Array(4);
  const lines = [...slots];
  return (rgb, sink) => {
    held.fill(-1);
    for (let t = 0; t < down.indices.length; t += 4) {
      for (let k = 0; k < 4; k++) {
        // Four consecutive rows never share a slot, so a new row takes that of one no longer needed.
        const needed = down.indices[t + k];
        const slot = (needed / stride) % 4;
        if (held[slot] !== needed) cubicAcross(rgb, needed, across, slots[slot]);
        held[slot] = needed;
        lines[k] = slots[slot];
      }
      cubicDown(lines, down.weights.subarray(t, t + 4), row);
      sink(t / 4, bytes);
    }
  };
}

function cubicAcross(rgb: Uint8Array, base: number, { indices, weights }: FixedTaps, out: Int32Array): void {
  for (let d = 0, t = 0; d < out.length; d += 3, t += 4) {
    const p0 = base + indices[t];
    const p1 = base + indices[t + 1];
    const p2 = base + indices[t + 2];
    const p3 = base + indices[t + 3];
    const w0 = weights[t];
    const w1 = weights[t + 1];
    const w2 = weights[t + 2];
    const w3 = weights[t + 3];
    out[d] = rgb[p0] * w0 + rgb[p1] * w1 + rgb[p2] * w2 + rgb[p3] * w3;
    out[d + 1] = rgb[p0 + 1] * w0 + rgb[p1 + 1] * w1 + rgb[p2 + 1] * w2 + rgb[p3 + 1] * w3;
    out[d + 2] = rgb[p0 + 2] * w0 + rgb[p1 + 2] * w1 + rgb[p2 + 2] * w2 + rgb[p3 + 2] * w3;
  }
}

function cubicDown(lines: readonly Int32Array[], weights: Int32Array, row: Uint8ClampedArray): void {
  const [l0, l1, l2, l3] = lines;
  const scale = 2 ** (-2 * WEIGHT_BITS);
  const w0 = weights[0] * scale;
  const w1 = weights[1] * scale;
  const w2 = weights[2] * scale;
  const w3 = weights[3] * scale;
  for (let i = 0; i < row.length; i++) row[i] = l0[i] * w0 + l1[i] * w1 + l2[i] * w2 + l3[i] * w3;
}

/** Each source row is summed across once and added to the one or two result rows that it lies in. */
function areaResizer(across: AreaTaps, down: AreaTaps, stride: number): Resizer {
  const values = across.start.length * 3;
  const row = new Uint8ClampedArray(values);
  const bytes = new Uint8Array(row.buffer);
  const sums = new Float64Array(values);
  const line = new Int32Array(values);
  const norm = 1 / (across.scale * across.unit * down.scale * down.unit);
  return (rgb, sink) => {
    let held = -1;
    for (let y = 0; y < down.start.length; y++) {
      sums.fill(0);
      const end = down.end[y];
      for (let s = down.firstWeight[y] > 0 ? down.first[y] : down.start[y]; s <= end; s += stride) {
        const weight = s < down.start[y] ? down.firstWeight[y] : s < end ? down.unit : down.endWeight[y];
        if (weight === 0) continue;
        if (held !== s) areaAcross(rgb, s, across, line);
        held = s;
        addScaled(sums, line, weight * norm);
      }
      row.set(sums);
      sink(y, bytes);
    }
  };
}

function areaAcross(rgb: Uint8Array, base: number, taps: AreaTaps, line: Int32Array): void {
  const { unit, first, firstWeight, start, end, endWeight } = taps;
  for (let x = 0, d = 0; d < line.length; x++, d += 3) {
    let r = 0;
    let g = 0;
    let b = 0;
    const before = base + first[x];
    const after = base + end[x];
    const wb = firstWeight[x];
    const wa = endWeight[x];
    for (let s = base + start[x]; s < after; s += 3) {
      r += rgb[s];
      g += rgb[s + 1];
      b += rgb[s + 2];
    }
    line[d] = Math.imul(r, unit) + Math.imul(rgb[before], wb) + Math.imul(rgb[after], wa);
    line[d + 1] = Math.imul(g, unit) + Math.imul(rgb[before + 1], wb) + Math.imul(rgb[after + 1], wa);
    line[d + 2] = Math.imul(b, unit) + Math.imul(rgb[before + 2], wb) + Math.imul(rgb[after + 2], wa);
  }
}

function addScaled(sums: Float64Array, line: Int32Array, weight: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] += line[i] * weight;
}
