/**
 * Flat convex faces in perspective, with a depth test. On a plane both 1/depth and the textures' coordinates over depth
 * are linear in the picture, so a pixel costs a division and its paint.
 */
import { add, dot, toCamera, turnToCamera, type Vec } from "./camera.ts";
import type { Canvas } from "./canvas.ts";

/** A place on a face, metres from its origin; `footprint` is a pixel's size there, metres. */
export interface FacePlace {
  u: number;
  v: number;
  footprint: number;
}

/** Linear albedo at a place, into `out`. One object serves every pixel: numbers as arguments would be allocated. */
export type FacePaint = (at: Readonly<FacePlace>, out: Float32Array) => void;

export interface Face {
  readonly points: readonly Vec[];
  /** Origin and unit axes of the texture. */
  readonly origin: Vec;
  readonly u: Vec;
  readonly v: Vec;
  readonly normal: Vec;
  readonly paint: FacePaint;
  /** Shadows fall on it. */
  readonly ground?: boolean;
  /** Its own light, added whatever shines on it: a share of its paint. */
  readonly glow?: number;
}

const NEAR = 0.08;
const STRIDE = 8;
const albedo = new Float32Array(3);
const spot: FacePlace = { u: 0.1, v: 0.1, footprint: 0.1 };
/** A pixel and its depth, and the lamps' light at two pixels of a row: kept here, as numbers passed on are allocated. */
const shining = { at: { x: 0.1, y: 0.1, z: 0.1 }, here: new Float32Array(3), next: new Float32Array(3) };

export function drawFace(canvas: Canvas, face: Face): void {
  const { camera, width, height } = canvas;
  const first = face.points[0];
  if (dot(face.normal, add(camera.position, first, -1)) <= 0) return;
  const outline = clipped(face.points.map((p) => toCamera(camera, p)));
  if (outline.length < 3) return;
  const xs = outline.map((p) => camera.centreX + (camera.focal * p[0]) / p[2]);
  const ys = outline.map((p) => camera.centreY + (camera.focal * p[1]) / p[2]);
  const top = Math.max(0, Math.ceil(Math.min(...ys) - 0.5));
  const bottom = Math.min(height - 1, Math.floor(Math.max(...ys) - 0.5));
  const fill = rowFiller(canvas, face);
  for (let y = top; y <= bottom; y++) {
    const at = y + 0.5;
    let left = Number.POSITIVE_INFINITY;
    let right = Number.NEGATIVE_INFINITY;
    for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
      if (ys[i] <= at === ys[j] <= at) continue;
      const x = xs[i] + ((at - ys[i]) / (ys[j] - ys[i])) * (xs[j] - xs[i]);
      if (x < left) left = x;
      if (x > right) right = x;
    }
    const from = Math.max(0, Math.ceil(left - 0.5));
    const to = Math.min(width - 1, Math.floor(right - 0.5));
    if (from <= to) fill(y, from, to);
  }
}

/** A picture-linear function a*x + b*y + c, from a vector in camera axes. */
function linear(canvas: Canvas, v: Vec): Vec {
  const { focal, centreX, centreY } = canvas.camera;
  const a = v[0] / focal;
  const b = v[1] / focal;
  return [a, b, v[2] - a * centreX - b * centreY];
}

function rowFiller(canvas: Canvas, face: Face): (y: number, from: number, to: number) => void {
  const { camera, light, rgb, near, width, ground } = canvas;
  const { paint } = face;
  const normal = turnToCamera(camera, face.normal);
  const offset = dot(face.normal, add(face.points[0], camera.position, -1));
  const [ia, ib, ic] = linear(canvas, [normal[0] / offset, normal[1] / offset, normal[2] / offset]);
  const [ua, ub, uc] = linear(canvas, turnToCamera(camera, face.u));
  const [va, vb, vc] = linear(canvas, turnToCamera(camera, face.v));
  const toOrigin = add(camera.position, face.origin, -1);
  const u0 = dot(toOrigin, face.u);
  const v0 = dot(toOrigin, face.v);
  const { focal } = camera;
  const sunny = Math.max(0, dot(face.normal, light.sun));
  const sky = 0.75 + 0.25 * face.normal[1];
  const base = light.ambient.map((x, c) => x * sky + light.sunRgb[c] * sunny);
  const glow = face.glow ?? 0;
  const shine = light.lamps.length > 0 || light.beam > 0;
  const marks = face.ground ? 1 : 0;
  const shineOn = shineOf(canvas, face, normal);
  const { at: lit, here, next } = shining;
  const block = shine ? STRIDE : width;
  return (y, from, to) => {
    const py = y + 0.5;
    const row = y * width;
    const iRow = ib * py + ic;
    const uRow = ub * py + uc;
    const vRow = vb * py + vc;
    lit.y = py;
    let asked = -1;
    for (let start = from; start <= to; start += block) {
      const end = Math.min(to, start + block - 1);
      let first = start;
      while (first <= end && ia * (first + 0.5) + iRow <= near[row + first]) first++;
      if (first > end) continue;
      let r = base[0] + glow;
      let g = base[1] + glow;
      let b = base[2] + glow;
      let stepR = 0;
      let stepG = 0;
      let stepB = 0;
      // Lamps light smoothly: they are asked every few pixels, and a straight line joins the answers.
      if (shine) {
        if (asked === start) here.set(next);
        else {
          lit.x = start + 0.5;
          lit.z = 1 / Math.max(1e-4, ia * lit.x + iRow);
          shineOn(here);
        }
        asked = start + STRIDE;
        lit.x = asked + 0.5;
        lit.z = 1 / Math.max(1e-4, ia * lit.x + iRow);
        shineOn(next);
        r += here[0];
        g += here[1];
        b += here[2];
        stepR = (next[0] - here[0]) / STRIDE;
        stepG = (next[1] - here[1]) / STRIDE;
        stepB = (next[2] - here[2]) / STRIDE;
        for (let x = start; x < first; x++) {
          r += stepR;
          g += stepG;
          b += stepB;
        }
      }
      for (let x = first; x <= end; x++) {
        const px = x + 0.5;
        const inverse = ia * px + iRow;
        const at = row + x;
        if (inverse > near[at]) {
          const z = 1 / inverse;
          near[at] = inverse;
          ground[at] = marks;
          spot.u = u0 + z * (ua * px + uRow);
          spot.v = v0 + z * (va * px + vRow);
          spot.footprint = z / focal;
          paint(spot, albedo);
          const to3 = at * 3;
          rgb[to3] = albedo[0] * r;
          rgb[to3 + 1] = albedo[1] * g;
          rgb[to3 + 2] = albedo[2] * b;
        }
        r += stepR;
        g += stepG;
        b += stepB;
      }
    }
  };
}

/** Sets what the lamps and the camera's illuminator give at a pixel, `shining.at`. */
function shineOf({ camera, light }: Canvas, face: Face, normal: Vec): (lit: Float32Array) => void {
  const { position, focal, centreX, centreY } = camera;
  const [rightX, rightY, rightZ] = camera.right;
  const [downX, downY, downZ] = camera.down;
  const [forwardX, forwardY, forwardZ] = camera.forward;
  const [faceX, faceY, faceZ] = face.normal;
  const [normalX, normalY, normalZ] = normal;
  const { beam, lamps } = light;
  const beamReach = light.beamReach * light.beamReach;
  const { at } = shining;
  return (lit) => {
    const { z } = at;
    const rx = (at.x - centreX) / focal;
    const ry = (at.y - centreY) / focal;
    lit[0] = 0;
    lit[1] = 0;
    lit[2] = 0;
    if (beam > 0) {
      const square = rx * rx + ry * ry + 1;
      const cosine = Math.abs(rx * normalX + ry * normalY + normalZ) / Math.sqrt(square);
      const light = ((beam * beamReach) / (beamReach + z * z * square)) * (0.3 + 0.7 * cosine);
      lit[0] += light;
      lit[1] += light;
      lit[2] += light;
    }
    if (lamps.length === 0) return;
    const wx = position[0] + z * (rx * rightX + ry * downX + forwardX);
    const wy = position[1] + z * (rx * rightY + ry * downY + forwardY);
    const wz = position[2] + z * (rx * rightZ + ry * downZ + forwardZ);
    for (let i = 0; i < lamps.length; i++) {
      const lamp = lamps[i];
      const dx = lamp.position[0] - wx;
      const dy = lamp.position[1] - wy;
      const dz = lamp.position[2] - wz;
      const far = dx * dx + dy * dy + dz * dz;
      const facing = (dx * faceX + dy * faceY + dz * faceZ) / Math.sqrt(far);
      const reach = lamp.reach * lamp.reach;
      const fall = (reach / (reach + far)) * (facing > 0 ? 0.2 + 0.8 * facing : 0.2);
      lit[0] += lamp.rgb[0] * fall;
      lit[1] += lamp.rgb[1] * fall;
      lit[2] += lamp.rgb[2] * fall;
    }
  };
}

/** Cuts off what lies behind the camera (Sutherland and Hodgman). */
function clipped(points: readonly Vec[]): Vec[] {
  const out: Vec[] = [];
  for (let i = 0; i < points.length; i++) {
    const a = points[i];
    const b = points[(i + 1) % points.length];
    if (a[2] >= NEAR) out.push(a);
    if (a[2] >= NEAR === b[2] >= NEAR) continue;
    const t = (NEAR - a[2]) / (b[2] - a[2]);
    out.push([a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, NEAR]);
  }
  return out;
}
