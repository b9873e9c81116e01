/** Surfaces of the world: what plaster, tiles, bricks, shelves and posters look like, from noise and a little geometry. */
import { mixed, scaled } from "./colour.ts";
import type { Rgb } from "./raster/canvas.ts";
import type { FacePaint } from "./raster/faces.ts";
import { hash, smooth } from "./raster/noise.ts";

/** Plaster, concrete, asphalt: blotches a metre wide and grain a centimetre wide. */
export function plain(colour: Rgb, blotch = 0.25, grain = 0.12): FacePaint {
  const [r, g, b] = colour;
  return ({ u, v, footprint }, out) => {
    const fine = footprint > 0.05 ? 0 : grain * (smooth(u * 90, v * 90) - 0.5);
    const k = 1 + blotch * (smooth(u * 6 + 31, v * 6 + 7) - 0.5) + fine;
    out[0] = r * k;
    out[1] = g * k;
    out[2] = b * k;
  };
}

/** Two colours of a wall, parted at a height (v), and a skirting at its foot. */
export function dado(upper: Rgb, lower: Rgb, height: number): FacePaint {
  const high = plain(upper, 0.16, 0.05);
  const low = plain(lower, 0.2, 0.06);
  const foot = plain(scaled(lower, 0.35), 0.1, 0);
  return (at, out) => (at.v < 0.1 ? foot : at.v < height ? low : high)(at, out);
}

export interface Tiling {
  readonly colour: Rgb;
  readonly joint: Rgb;
  readonly width: number;
  readonly height: number;
  /** Width of a joint, metres. */
  readonly gap: number;
  /** How much tiles differ, 0..1. */
  readonly vary: number;
  /** Every second row is shifted by half, as bricks are. */
  readonly bond?: boolean;
  /** Every second tile in this colour. */
  readonly second?: Rgb;
}

/** Tiles, bricks, slabs and planks. Joints fade where a pixel is wider than they are. */
export function tiled({ colour, joint, width, height, gap, vary, bond, second }: Tiling): FacePaint {
  return ({ u, v, footprint }, out) => {
    const row = Math.floor(v / height);
    const along = bond && row % 2 !== 0 ? u + width / 2 : u;
    const column = Math.floor(along / width);
    const edge = Math.min(along - column * width, v - row * height);
    const body = second && (row + column) % 2 !== 0 ? second : colour;
    const k = 1 + vary * (hash(column, row, 3) - 0.5) + 0.18 * (smooth(u * 7, v * 7) - 0.5);
    const seen = Math.min(1, gap / (footprint + 1e-4));
    const j = edge < Math.max(gap, footprint) ? seen : 0;
    for (let c = 0; c < 3; c++) out[c] = (body[c] ?? 0) * k * (1 - j) + (joint[c] ?? 0) * j;
  };
}

/** Meadow or lawn: greens and browns in tufts. */
export function grass(green: Rgb, dry: Rgb): FacePaint {
  return ({ u, v, footprint }, out) => {
    const t = smooth(u * 4 + 11, v * 4 + 5);
    const k = footprint > 0.12 ? 1 : 0.6 + 0.8 * smooth(u * 55, v * 40);
    for (let c = 0; c < 3; c++) out[c] = ((green[c] ?? 0) * (1 - t * 0.6) + (dry[c] ?? 0) * t * 0.6) * k;
  };
}

export interface Facade {
  readonly wall: FacePaint;
  readonly floor: number;
  readonly bay: number;
  /** Share of windows with light in them, and how bright it is. */
  readonly lit: number;
  readonly glow: number;
  readonly seed: number;
}

/** A house front: rows of windows above a darker ground floor. */
export function facade({ wall, floor, bay, lit, glow, seed }: Facade): FacePaint {
  return (at, out) => {
    const { u, v } = at;
    const row = Math.floor(v / floor);
    const column = Math.floor(u / bay);
    const x = u / bay - column;
    const y = v / floor - row;
    const shop = row === 0;
    const inside = shop ? x > 0.08 && x < 0.92 && y > 0.1 && y < 0.8 : x > 0.27 && x < 0.73 && y > 0.28 && y < 0.82;
    if (!inside) {
      wall(at, out);
      const near = x > 0.22 && x < 0.78 && y > 0.22 && y < 0.86 && !shop;
      if (near) for (let c = 0; c < 3; c++) out[c] = (out[c] ?? 0) * 1.35;
      return;
    }
    const light = hash(column, row, seed) < lit ? glow : 0;
    const pane = 0.05 + 0.12 * smooth(u * 3 + row * 13, v * 5) + 0.1 * y;
    const frame = Math.abs(x - 0.5) < 0.018 ? 0.25 : 1;
    out[0] = (pane * 0.9 + light * 1.0) * frame;
    out[1] = (pane + light * 0.8) * frame;
    out[2] = (pane * 1.15 + light * 0.5) * frame;
  };
}

/** Goods on shelves: boards every `gap` metres and packets of every colour between. */
export function goods(gap: number, seed: number, saturation: number): FacePaint {
  return ({ u, v, footprint }, out) => {
    const row = Math.floor(v / gap);
    const y = v / gap - row;
    if (y < 0.1) {
      out[0] = out[1] = out[2] = 0.55;
      return;
    }
    const block = Math.floor(u / 0.5);
    const step = 0.07 + 0.14 * hash(block, row, seed);
    const column = Math.floor(u / step);
    const x = u / step - column;
    const top = 0.55 + 0.4 * hash(block, row, seed + 1);
    const blank = y > top || x < 0.06;
    const k = blank ? 0.06 : 0.75 + 0.35 * hash(column, row, seed + 2);
    const label = !blank && footprint < 0.03 && y > 0.3 && y < 0.5 && x > 0.2 && x < 0.8;
    for (let c = 0; c < 3; c++) {
      const tint = hash(block * 3 + c, row, seed + 3);
      out[c] = label ? 0.7 : k * (0.35 * (1 - saturation) + saturation * tint * tint * 0.9 + 0.04);
    }
  };
}

/** A door in its frame; u, v from its lower left corner. */
export function door(colour: Rgb, width: number, height: number): FacePaint {
  const leaf = plain(colour, 0.12, 0.04);
  return (at, out) => {
    const { u, v } = at;
    leaf(at, out);
    const frame = u < 0.07 || u > width - 0.07 || v > height - 0.07;
    const handle = u > width - 0.2 && u < width - 0.1 && v > 0.98 && v < 1.06;
    const glass = v > height * 0.6 && v < height * 0.85 && u > width * 0.35 && u < width * 0.65;
    const k = frame ? 1.7 : handle ? 3 : glass ? 0.4 : 1;
    for (let c = 0; c < 3; c++) out[c] = (out[c] ?? 0) * k;
  };
}

/** Ribs: a garage door or a corrugated fence. `pitch` metres a rib; along v where `lying`. */
export function ribbed(colour: Rgb, pitch: number, lying: boolean): FacePaint {
  const base = plain(colour, 0.25, 0.05);
  return (at, out) => {
    const { u, v, footprint } = at;
    base(at, out);
    const x = (lying ? v : u) / pitch;
    const k = footprint > pitch / 2 ? 0.9 : 0.75 + 0.4 * Math.abs(x - Math.floor(x) - 0.5) * 2;
    for (let c = 0; c < 3; c++) out[c] = (out[c] ?? 0) * k;
  };
}

export type PosterKind = "landscape" | "face" | "text" | "product" | "sign";

export interface Poster {
  readonly kind: PosterKind;
  readonly width: number;
  readonly height: number;
  readonly ground: Rgb;
  readonly ink: Rgb;
  readonly seed: number;
}

/** What hangs on walls. A face fills its poster and has no body: nobody here is a person, and none is labelled. */
export function poster({ kind, width, height, ground, ink, seed }: Poster): FacePaint {
  const draw = POSTERS[kind];
  return ({ u, v }, out) => {
    const x = u / width;
    const y = v / height;
    const border = x < 0.04 || x > 0.96 || y < 0.03 || y > 0.97;
    const picture = border ? mixed(ground, [0.8, 0.8, 0.8], 0.7) : draw(x, y, { ground, ink, seed });
    for (let c = 0; c < 3; c++) out[c] = picture[c] ?? 0;
  };
}

type Draw = (x: number, y: number, of: Pick<Poster, "ground" | "ink" | "seed">) => Rgb;

const POSTERS: Readonly<Record<PosterKind, Draw>> = {
  landscape: (x, y, { ground, ink, seed }) => {
    const ridge = 0.35 + 0.3 * smooth(x * 9 + seed, 3);
    const hill = 0.15 + 0.2 * smooth(x * 6 + seed * 3, 90);
    if (y > ridge) return mixed([0.7, 0.75, 0.8], ground, y);
    return y > hill ? scaled(ink, 0.8) : scaled(ink, 0.35);
  },
  face: (x, y, { ground, ink }) => {
    const dx = (x - 0.5) / 0.36;
    const dy = (y - 0.5) / 0.4;
    const round = dx * dx + dy * dy;
    if (round > 1.25) return ground;
    if (round > 1 || dy > 0.55) return scaled(ink, 0.12);
    const eyes = Math.hypot(Math.abs(dx) - 0.38, (dy - 0.12) * 1.6) < 0.13;
    const mouth = Math.hypot(dx * 0.6, (dy + 0.5) * 2.4) < 0.2;
    return eyes ? [0.03, 0.03, 0.03] : mouth ? [0.35, 0.07, 0.07] : mixed(ink, [0.7, 0.45, 0.33], 0.7);
  },
  text: (x, y, { ground, ink, seed }) => {
    const line = Math.floor(y * 14);
    const word = hash(Math.floor(x * 22), line, seed) > 0.28 && x > 0.1 && x < 0.55 + 0.35 * hash(line, 7, seed);
    return y > 0.8 ? ink : y * 14 - line > 0.35 && line > 1 && word ? scaled(ink, 0.3) : ground;
  },
  product: (x, y, { ground, ink, seed }) => {
    const wide = 0.16 + 0.1 * hash(seed, 1, 1);
    const neck = y > 0.62 ? 0.4 : 1;
    if (Math.abs(x - 0.5) < wide * neck && y > 0.12 && y < 0.8) return y > 0.3 && y < 0.48 ? [0.75, 0.75, 0.7] : ink;
    return ground;
  },
  sign: (x, y, { ground, ink }) => {
    const shaft = Math.abs(y - 0.5) < 0.12 && x > 0.15 && x < 0.6;
    const head = x > 0.55 && x < 0.85 && Math.abs(y - 0.5) < (0.85 - x) * 1.1;
    return shaft || head ? ink : ground;
  },
};
