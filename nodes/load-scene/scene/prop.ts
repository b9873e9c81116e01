/** Things in a scene: faces and bones with a foot on the ground, and the shapes that they are built from. */
import type { Bone, BonePaint } from "./raster/bones.ts";
import { add, cross, unit, type Vec } from "./raster/camera.ts";
import type { Rgb } from "./raster/canvas.ts";
import type { Face, FacePaint } from "./raster/faces.ts";
import { smooth } from "./raster/noise.ts";

export interface Prop {
  readonly faces: readonly Face[];
  readonly bones: readonly Bone[];
  readonly x: number;
  readonly z: number;
  /** Nobody stands nearer to the foot than this, metres. */
  readonly radius: number;
}

export interface Slab {
  /** Middle of its lower side. */
  readonly base: Vec;
  /** Along right, up and forward of `yaw`. */
  readonly size: Vec;
  readonly yaw: number;
  readonly paint: FacePaint;
  readonly top?: FacePaint;
}

const UP: Vec = [0, 1, 0];

/** Right and forward of a heading. */
export function axesOf(yaw: number): { readonly right: Vec; readonly forward: Vec } {
  return { right: [Math.cos(yaw), 0, -Math.sin(yaw)], forward: [Math.sin(yaw), 0, Math.cos(yaw)] };
}

/** A cuboid's four sides and its top. */
export function slabFaces({ base, size, yaw, paint, top }: Slab): Face[] {
  const { right, forward } = axesOf(yaw);
  const [w, h, d] = size;
  const side = (normal: Vec, half: number, along: Vec, length: number): Face =>
    wall({ from: add(add(base, normal, half), along, -length / 2), along, length, height: h, normal, paint });
  const lid = add(base, UP, h);
  const corner = add(add(lid, right, -w / 2), forward, -d / 2);
  return [
    side(right, w / 2, forward, d),
    side([-right[0], 0, -right[2]], w / 2, forward, d),
    side(forward, d / 2, right, w),
    side([-forward[0], 0, -forward[2]], d / 2, right, w),
    {
      points: [corner, add(corner, right, w), add(add(corner, right, w), forward, d), add(corner, forward, d)],
      origin: corner,
      u: right,
      v: forward,
      normal: UP,
      paint: top ?? paint,
    },
  ];
}

export interface Wall {
  /** Lower corner; u runs `along` from it, v upwards. */
  readonly from: Vec;
  readonly along: Vec;
  readonly length: number;
  readonly height: number;
  readonly normal: Vec;
  readonly paint: FacePaint;
  readonly glow?: number;
}

export function wall({ from, along, length, height, normal, paint, glow }: Wall): Face {
  const end = add(from, along, length);
  return {
    points: [from, end, add(end, UP, height), add(from, UP, height)],
    origin: from,
    u: along,
    v: UP,
    normal,
    paint,
    ...(glow !== undefined && { glow }),
  };
}

/** A level rectangle from corner (x0, z0) to (x1, z1) at `y`; seen from above, or from below for a ceiling. */
export function level(
  from: Vec,
  to: Vec,
  paint: FacePaint,
  options: { ceiling?: boolean; ground?: boolean; glow?: number } = {},
): Face {
  const y = from[1];
  return {
    points: [from, [to[0], y, from[2]], [to[0], y, to[2]], [from[0], y, to[2]]],
    origin: from,
    u: [1, 0, 0],
    v: [0, 0, 1],
    normal: options.ceiling ? [0, -1, 0] : UP,
    paint,
    ...(options.ground && { ground: true }),
    ...(options.glow !== undefined && { glow: options.glow }),
  };
}

/** A four-cornered face between two horizontal edges, as a car's windscreen is; u along the edge, v up the slope. */
export function slope(low: readonly [Vec, Vec], high: readonly [Vec, Vec], paint: FacePaint): Face {
  const along = unit(add(low[1], low[0], -1));
  const rise = unit(add(high[0], low[0], -1));
  return {
    points: [low[0], low[1], high[1], high[0]],
    origin: low[0],
    u: along,
    v: rise,
    normal: unit(cross(rise, along)),
    paint,
  };
}

export function bone(a: Vec, b: Vec, radii: number | readonly [number, number], paint: BonePaint): Bone {
  const [ra, rb] = typeof radii === "number" ? [radii, radii] : radii;
  return { a, b, ra, rb, paint };
}

/** One colour with a little unevenness. */
export function matt(rgb: Rgb, vary = 0.25, seed = 0): BonePaint {
  return ({ t, nx, ny }, out) => {
    const k = 1 + vary * (smooth(t * 7 + nx * 4 + seed, ny * 6 + seed * 1.7) - 0.5);
    out[0] = rgb[0] * k;
    out[1] = rgb[1] * k;
    out[2] = rgb[2] * k;
  };
}

/** Leaves: light and dark in tufts. */
export function leafy(rgb: Rgb, seed: number): BonePaint {
  return ({ nx, ny }, out) => {
    const k = 0.25 + 1.25 * smooth(nx * 11 + seed, ny * 11 + seed * 2.3);
    out[0] = rgb[0] * k;
    out[1] = rgb[1] * k;
    out[2] = rgb[2] * k;
  };
}
