/** Shadows on the ground: sharp ones of the sun, from bones laid flat along its rays, and the soft dark under things. */

import type { Bone } from "./bones.ts";
import { project, type Vec } from "./camera.ts";
import type { Canvas } from "./canvas.ts";

const CORNERS = 8;

/** Darkens the ground where the bones keep the sun away; `depth` is the share of light that is lost, 0..1. */
export function castShadows(canvas: Canvas, bones: readonly Bone[], depth: number): void {
  const { light, width, height, rgb, ground, mask } = canvas;
  if (light.sun[1] < 0.05 || depth <= 0 || bones.length === 0) return;
  let top = height;
  let bottom = -1;
  for (const bone of bones) {
    const outline = hull([...ringOnGround(canvas, bone.a, bone.ra), ...ringOnGround(canvas, bone.b, bone.rb)]);
    if (outline.length < 3) continue;
    const rows = fillOutline(canvas, outline);
    top = Math.min(top, rows[0]);
    bottom = Math.max(bottom, rows[1]);
  }
  // Half a pixel of penumbra, a mean of five: the sun is no point.
  for (let y = Math.max(1, top - 1); y <= Math.min(height - 2, bottom + 1); y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      if (ground[at] === 0) continue;
      const dark = mask[at] * 2 + mask[at - 1] + mask[at + 1] + mask[at - width] + mask[at + width];
      if (dark === 0) continue;
      const keep = 1 - (depth * dark) / 6;
      rgb[at * 3] *= keep;
      rgb[at * 3 + 1] *= keep;
      rgb[at * 3 + 2] *= keep;
    }
  }
  if (bottom >= top) mask.fill(0, top * width, (bottom + 1) * width);
}

/** Darkens the ground softly around a foot point, as what stands there takes the sky's light. */
export function contactShadow(canvas: Canvas, place: Vec, radius: number, depth: number): void {
  const { camera, width, height, rgb, ground } = canvas;
  const points = ring(place, radius).map((p) => project(camera, p));
  if (points.some((p) => p[2] < 0.2)) return;
  const left = Math.max(0, Math.floor(Math.min(...points.map((p) => p[0]))));
  const right = Math.min(width - 1, Math.ceil(Math.max(...points.map((p) => p[0]))));
  const top = Math.max(0, Math.floor(Math.min(...points.map((p) => p[1]))));
  const bottom = Math.min(height - 1, Math.ceil(Math.max(...points.map((p) => p[1]))));
  const { right: r, down: d, forward: f, position } = camera;
  for (let y = top; y <= bottom; y++) {
    const ry = (y + 0.5 - camera.centreY) / camera.focal;
    for (let x = left; x <= right; x++) {
      const at = y * width + x;
      if (ground[at] === 0) continue;
      const rx = (x + 0.5 - camera.centreX) / camera.focal;
      const fall = rx * r[1] + ry * d[1] + f[1];
      if (fall >= 0) continue;
      const z = -position[1] / fall;
      const gx = position[0] + z * (rx * r[0] + ry * d[0] + f[0]) - place[0];
      const gz = position[2] + z * (rx * r[2] + ry * d[2] + f[2]) - place[2];
      const q = 1 - (gx * gx + gz * gz) / (radius * radius);
      if (q <= 0) continue;
      const keep = 1 - depth * q * q;
      rgb[at * 3] *= keep;
      rgb[at * 3 + 1] *= keep;
      rgb[at * 3 + 2] *= keep;
    }
  }
}

function ring(centre: Vec, radius: number): Vec[] {
  return Array.from({ length: CORNERS }, (_, i): Vec => {
    const angle = (i * 2 * Math.PI) / CORNERS;
    return [centre[0] + radius * Math.cos(angle), 0, centre[2] + radius * Math.sin(angle)];
  });
}

/** Where the sun lays a ball at `centre` on the ground, in the picture; nothing where that lies behind the camera. */
function ringOnGround({ camera, light }: Canvas, centre: Vec, radius: number): Vec[] {
  const t = Math.max(0, centre[1]) / light.sun[1];
  const flat: Vec = [centre[0] - light.sun[0] * t, 0, centre[2] - light.sun[2] * t];
  const points = ring(flat, radius).map((p) => project(camera, p));
  return points.some((p) => p[2] < 0.2) ? [] : points;
}

/** Convex hull, monotone chain. */
function hull(points: readonly Vec[]): Vec[] {
  const sorted = [...points].sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  const half = (list: readonly Vec[]): Vec[] => {
    const out: Vec[] = [];
    for (const p of list) {
      while (out.length >= 2) {
        const [a, b] = [out[out.length - 2], out[out.length - 1]];
        if ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0) break;
        out.pop();
      }
      out.push(p);
    }
    return out.slice(0, -1);
  };
  return [...half(sorted), ...half([...sorted].reverse())];
}

/** Sets the mask inside a convex outline; returns its first and last row. */
function fillOutline({ width, height, mask }: Canvas, outline: readonly Vec[]): readonly [number, number] {
  const top = Math.max(0, Math.ceil(Math.min(...outline.map((p) => p[1])) - 0.5));
  const bottom = Math.min(height - 1, Math.floor(Math.max(...outline.map((p) => p[1])) - 0.5));
  for (let y = top; y <= bottom; y++) {
    let left = Number.POSITIVE_INFINITY;
    let right = Number.NEGATIVE_INFINITY;
    for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
      const [p, q] = [outline[i], outline[j]];
      if (p[1] <= y + 0.5 === q[1] <= y + 0.5) continue;
      const x = p[0] + ((y + 0.5 - p[1]) / (q[1] - p[1])) * (q[0] - p[0]);
      left = Math.min(left, x);
      right = Math.max(right, x);
    }
    const from = Math.max(0, Math.ceil(left - 0.5));
    const to = Math.min(width - 1, Math.floor(right - 0.5));
    if (from <= to) mask.fill(1, y * width + from, y * width + to + 1);
  }
  return [top, bottom];
}
