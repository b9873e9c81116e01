/** The paint of a body: folds, patterns, skin, and a face that looks where the head does. */

import { mixed, scaled } from "./colour.ts";
import type { Look, Pattern } from "./look.ts";
import type { BonePaint } from "./raster/bones.ts";
import { type Camera, cross, turnToCamera, type Vec } from "./raster/camera.ts";
import type { Rgb } from "./raster/canvas.ts";
import { hash, smooth } from "./raster/noise.ts";

export interface BodyPaints {
  readonly thigh: BonePaint;
  readonly shin: BonePaint;
  readonly shoe: BonePaint;
  readonly skirt: BonePaint;
  readonly trunk: BonePaint;
  /** The middle of the trunk, where a jacket opens. */
  readonly front: BonePaint;
  readonly shoulders: BonePaint;
  readonly neck: BonePaint;
  readonly upperArm: BonePaint;
  readonly foreArm: BonePaint;
  readonly hand: BonePaint;
  readonly head: BonePaint;
  readonly hair: BonePaint;
}

export interface BodyAxes {
  readonly up: Vec;
  /** Where the face looks, and where the body does. */
  readonly face: Vec;
  readonly forward: Vec;
}

export function bodyPaints(look: Look, axes: BodyAxes, camera: Camera): BodyPaints {
  const { skin, topRgb, bottomRgb, accentRgb, pattern, top, bottom, hair, folds } = look;
  const vest = top === "vest";
  const upper = cloth(topRgb, folds, { pattern, accent: vest ? [0.95, 0.95, 0.9] : accentRgb });
  const sleeve = cloth(vest ? accentRgb : topRgb, folds + 40);
  const lower = cloth(bottom === "dress" || bottom === "robe" ? topRgb : bottomRgb, folds + 80);
  const bare = flat(skin, 0.05, folds);
  const short = top === "shirt";
  const legs = cloth(bottomRgb, folds + 120);
  const trunk = bottom === "dress" || bottom === "robe" ? cloth(topRgb, folds, { pattern, accent: accentRgb }) : upper;
  const forward = turnToCamera(camera, axes.forward);
  const open = top === "jacket" && pattern !== "bands";
  const shirt = cloth(accentRgb, folds + 11);
  const hairy =
    hair === "cap" || hair === "helmet" || hair === "beanie" || hair === "scarf"
      ? scaled(accentRgb, 0.9)
      : look.hairRgb;
  const covers = hair === "hood" ? topRgb : hairy;
  const bareLegs = bottom === "shorts" || bottom === "skirt" || bottom === "dress";
  return {
    thigh: bottom === "skirt" || bottom === "dress" || bottom === "robe" ? lower : legs,
    shin: bareLegs ? bare : bottom === "robe" ? lower : legs,
    shoe: flat(look.shoeRgb, 0.1, folds),
    skirt: top === "coat" ? cloth(topRgb, folds + 80) : lower,
    trunk,
    front: open ? opening(trunk, shirt, forward) : trunk,
    shoulders: upper,
    neck: hair === "hood" || hair === "scarf" ? flat(covers, 0.2, folds) : bare,
    upperArm: short ? sleeved(sleeve, bare) : sleeve,
    foreArm: short ? bare : sleeve,
    hand: bare,
    head: headPaint(look, axes, camera),
    hair: framed(covers, look, { face: turnToCamera(camera, axes.face), up: turnToCamera(camera, axes.up) }),
  };
}

function flat(rgb: Rgb, vary: number, seed: number): BonePaint {
  return ({ t, nx, ny }, out) => {
    const k = 1 + vary * (smooth(t * 9 + seed, nx * 7 + ny * 3) - 0.5);
    out[0] = rgb[0] * k;
    out[1] = rgb[1] * k;
    out[2] = rgb[2] * k;
  };
}

interface Weave {
  readonly pattern: Pattern;
  readonly accent: Rgb;
}

/** Folds run across a limb where it bends: noise stretched along the way around. */
function cloth(rgb: Rgb, folds: number, { pattern, accent }: Weave = { pattern: "plain", accent: rgb }): BonePaint {
  return ({ t, nx, ny }, out) => {
    const k = 0.72 + 0.5 * smooth(t * 13 + nx * 5 + folds, nx * 6 + t * 4 - ny * 3 + folds * 0.7);
    const other = pattern !== "plain" && inPattern(pattern, t, nx);
    const body = other ? accent : rgb;
    out[0] = body[0] * k;
    out[1] = body[1] * k;
    out[2] = body[2] * k;
  };
}

function inPattern(pattern: Pattern, t: number, nx: number): boolean {
  const around = Math.asin(Math.max(-1, Math.min(1, nx)));
  if (pattern === "stripes") return (t * 7) % 1 < 0.45;
  if (pattern === "checks") return (t * 6) % 1 < 0.5 !== (around * 3 + 10) % 1 < 0.5;
  if (pattern === "bands") return (t > 0.3 && t < 0.42) || (t > 0.62 && t < 0.74);
  return t > 0.5 && t < 0.78 && Math.abs(nx) < 0.55 && hash(t * 24, nx * 9, 5) > 0.4;
}

function opening(jacket: BonePaint, shirt: BonePaint, forward: Vec): BonePaint {
  return (at, out) => {
    const { t, nx, ny } = at;
    const nz = -Math.sqrt(Math.max(0, 1 - nx * nx - ny * ny));
    const front = nx * forward[0] + ny * forward[1] + nz * forward[2];
    (front > 0.9 - 0.1 * t ? shirt : jacket)(at, out);
  };
}

function sleeved(sleeve: BonePaint, bare: BonePaint): BonePaint {
  return (at, out) => (at.t < 0.62 ? sleeve : bare)(at, out);
}

/** Hair, hoods and scarves leave the face free. */
function framed(rgb: Rgb, look: Look, { face, up }: { readonly face: Vec; readonly up: Vec }): BonePaint {
  const wraps = look.hair === "hood" || look.hair === "scarf";
  const skin = look.skin;
  return ({ t, nx, ny }, out) => {
    const nz = -Math.sqrt(Math.max(0, 1 - nx * nx - ny * ny));
    const f = nx * face[0] + ny * face[1] + nz * face[2];
    const u = nx * up[0] + ny * up[1] + nz * up[2];
    const free = wraps && f > 0.66 + 0.25 * Math.abs(u);
    const k = 0.75 + 0.5 * smooth(nx * 9 + look.folds, ny * 14 + t * 5);
    const body = free ? skin : rgb;
    const strength = free ? 1 : k;
    out[0] = body[0] * strength;
    out[1] = body[1] * strength;
    out[2] = body[2] * strength;
  };
}

function headPaint(look: Look, axes: BodyAxes, camera: Camera): BonePaint {
  const face = turnToCamera(camera, axes.face);
  const up = turnToCamera(camera, axes.up);
  const side = turnToCamera(camera, cross(axes.up, axes.face));
  const { skin, hairRgb, hair, beard, folds } = look;
  const dark = mixed(skin, [0.02, 0.015, 0.015], 0.85);
  const lips = mixed(skin, [0.35, 0.06, 0.06], 0.5);
  const hairline = hair === "bald" ? 2 : 0.62;
  return ({ t, nx, ny }, out) => {
    const nz = -Math.sqrt(Math.max(0, 1 - nx * nx - ny * ny));
    const f = nx * face[0] + ny * face[1] + nz * face[2];
    const r = nx * side[0] + ny * side[1] + nz * side[2];
    // Height on the head, -1 at the chin to 1 at the crown.
    const v = (t - 0.5) * 0.95 + (nx * up[0] + ny * up[1] + nz * up[2]) * 0.9;
    let body = skin;
    let k = 0.95 + 0.1 * smooth(nx * 6 + folds, ny * 6);
    if (hair !== "bald" && (v > hairline || (f < -0.15 && v > -0.55))) {
      body = hairRgb;
      k = 0.7 + 0.6 * smooth(nx * 12 + folds, ny * 9);
    } else if (f > 0.3) {
      const eye = Math.hypot(Math.abs(r) - 0.36, (v - 0.12) * 1.5);
      if (eye < 0.11) body = dark;
      else if (eye < 0.24 && v > 0.12) k *= 0.72;
      else if (Math.abs(r) < 0.26 && Math.abs(v + 0.55) < 0.06) body = lips;
      else if (Math.abs(r) < 0.13 && v < 0.05 && v > -0.35) k *= r > 0 ? 1.12 : 0.85;
      if (beard && v < -0.38 && body === skin) body = mixed(hairRgb, skin, 0.25);
    }
    out[0] = body[0] * k;
    out[1] = body[1] * k;
    out[2] = body[2] * k;
  };
}
