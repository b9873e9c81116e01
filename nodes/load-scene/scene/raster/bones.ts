/**
 * Bones: capsules whose ends may differ in radius. People, dogs, trees and poles are made of them. Drawn as their
 * outline in the picture, with the roundness of a cylinder for shade and depth: exact enough at a camera's distance.
 */
import { toCamera, type Vec } from "./camera.ts";
import type { Canvas, LocalLight } from "./canvas.ts";
import { smooth } from "./noise.ts";

/** A place on a bone: `t` goes 0..1 from a to b, (nx, ny) is the surface's normal in the picture, right and down. */
export interface BonePlace {
  t: number;
  nx: number;
  ny: number;
}

/** Linear albedo at a place, into `out`. One object serves every pixel: numbers as arguments would be allocated. */
export type BonePaint = (at: Readonly<BonePlace>, out: Float32Array) => void;

export interface Bone {
  readonly a: Vec;
  readonly b: Vec;
  readonly ra: number;
  readonly rb: number;
  readonly paint: BonePaint;
  /** Share of the radius that noise bites out of the outline, as of leaves; absent: smooth. */
  readonly ragged?: number;
  /** Belongs to what is carried, not to the body: it hides, and is no part of the box. */
  readonly carried?: boolean;
}

const NEAR = 0.15;
const albedo = new Float32Array(3);
const spot: BonePlace = { t: 0.1, nx: 0.1, ny: 0.1 };

/** Draws a bone for `owner` (0: nobody). */
export function drawBone(canvas: Canvas, bone: Bone, local: LocalLight, owner = 0): void {
  const { camera, width, height, near, rgb, ground, stamp, covered } = canvas;
  const a = toCamera(camera, bone.a);
  const b = toCamera(camera, bone.b);
  if (a[2] < NEAR || b[2] < NEAR) return;
  const [ax, ay] = [camera.centreX + (camera.focal * a[0]) / a[2], camera.centreY + (camera.focal * a[1]) / a[2]];
  const [bx, by] = [camera.centreX + (camera.focal * b[0]) / b[2], camera.centreY + (camera.focal * b[1]) / b[2]];
  const ra = (camera.focal * bone.ra) / a[2];
  const rb = (camera.focal * bone.rb) / b[2];
  const left = Math.max(0, Math.ceil(Math.min(ax - ra, bx - rb) - 0.5));
  const right = Math.min(width - 1, Math.floor(Math.max(ax + ra, bx + rb) - 0.5));
  const top = Math.max(0, Math.ceil(Math.min(ay - ra, by - rb) - 0.5));
  const bottom = Math.min(height - 1, Math.floor(Math.max(ay + ra, by + rb) - 0.5));
  const dx = bx - ax;
  const dy = by - ay;
  const square = dx * dx + dy * dy || 1e-9;
  const { ambient, key, towards, up } = local;
  const ragged = bone.ragged ?? 0;
  const { paint } = bone;
  for (let y = top; y <= bottom; y++) {
    const py = y + 0.5 - ay;
    for (let x = left; x <= right; x++) {
      const px = x + 0.5 - ax;
      let t = (px * dx + py * dy) / square;
      if (t < 0) t = 0;
      else if (t > 1) t = 1;
      const ox = px - t * dx;
      const oy = py - t * dy;
      const r = ra + (rb - ra) * t;
      const far = ox * ox + oy * oy;
      if (far >= r * r) continue;
      const at = y * width + x;
      const nx = ox / r;
      const ny = oy / r;
      if (ragged > 0) {
        // More is bitten off towards the rim.
        const seed = bone.a[0] * 37 + t;
        const edge = 1 - ragged * smooth(nx * 9 + seed, ny * 9 + seed * 0.7);
        if (nx * nx + ny * ny > edge * edge) continue;
      }
      if (owner !== 0 && stamp[at] !== owner) {
        stamp[at] = owner;
        covered[owner]++;
      }
      const nz = Math.sqrt(1 - nx * nx - ny * ny);
      const depth = a[2] + (b[2] - a[2]) * t - (bone.ra + (bone.rb - bone.ra) * t) * nz;
      const inverse = 1 / depth;
      if (depth < NEAR || inverse <= near[at]) continue;
      near[at] = inverse;
      ground[at] = 0;
      canvas.owner[at] = owner;
      spot.t = t;
      spot.nx = nx;
      spot.ny = ny;
      paint(spot, albedo);
      const sky = 0.72 + 0.28 * (nx * up[0] + ny * up[1] - nz * up[2]);
      const facing = nx * towards[0] + ny * towards[1] - nz * towards[2];
      const shine = facing > 0 ? facing * 0.9 + 0.1 : 0.1;
      const to = at * 3;
      rgb[to] = albedo[0] * (ambient[0] * sky + key[0] * shine);
      rgb[to + 1] = albedo[1] * (ambient[1] * sky + key[1] * shine);
      rgb[to + 2] = albedo[2] * (ambient[2] * sky + key[2] * shine);
    }
  }
}
