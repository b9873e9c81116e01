/** What the rasterisers draw on: linear light, depth and who owns each pixel; and how light falls on a point. */
import { type Camera, dot, turnToCamera, type Vec } from "./camera.ts";

/** Linear RGB. */
export type Rgb = readonly [number, number, number];

export interface Lamp {
  readonly position: Vec;
  readonly rgb: Rgb;
  /** Where its light has fallen to half, metres. */
  readonly reach: number;
}

export interface Light {
  readonly ambient: Rgb;
  /** Unit vector towards the sun (or the ceiling's glow), and its light. */
  readonly sun: Vec;
  readonly sunRgb: Rgb;
  readonly lamps: readonly Lamp[];
  /** The camera's own illuminator: light at no distance, and where it has fallen to half; 0: none. */
  readonly beam: number;
  readonly beamReach: number;
}

export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly camera: Camera;
  readonly light: Light;
  /** height x width x 3. */
  readonly rgb: Float32Array;
  /** 1 / depth; 0 is infinitely far. */
  readonly near: Float32Array;
  /** Number of the person seen there; 0: none. */
  readonly owner: Uint8Array;
  /** 1 where the ground is seen, on which shadows fall. */
  readonly ground: Uint8Array;
  /** Who last covered the pixel, seen or not; counts `covered` without counting twice. */
  readonly stamp: Uint8Array;
  /** For shadows while they are cast; all 0 between. */
  readonly mask: Uint8Array;
  /** By person: pixels inside the canvas that they would cover if nothing stood before them. */
  readonly covered: Int32Array;
}

/** At most this many people on one canvas. */
export const MAX_OWNERS = 254;

/** Memory for canvases of up to so many pixels, to use again: one picture after the other needs no more than one. */
export type CanvasMemory = Pick<Canvas, "rgb" | "near" | "owner" | "ground" | "stamp" | "mask" | "covered">;

export function canvasMemory(pixels: number): CanvasMemory {
  return {
    rgb: new Float32Array(pixels * 3),
    near: new Float32Array(pixels),
    owner: new Uint8Array(pixels),
    ground: new Uint8Array(pixels),
    stamp: new Uint8Array(pixels),
    mask: new Uint8Array(pixels),
    covered: new Int32Array(MAX_OWNERS + 1),
  };
}

export interface CanvasOf {
  readonly camera: Camera;
  readonly light: Light;
  readonly width: number;
  readonly height: number;
}

/** A cleared canvas; in `memory` where that is given, whose former contents are lost. */
export function createCanvas(of: CanvasOf, memory = canvasMemory(of.width * of.height)): Canvas {
  for (const buffer of [memory.near, memory.owner, memory.ground, memory.stamp, memory.covered]) buffer.fill(0);
  return { ...of, ...memory };
}

/** Copies what is drawn onto a canvas of the same size; nobody may have been drawn yet. */
export function copyCanvas(from: Canvas, to: Canvas): void {
  to.rgb.set(from.rgb);
  to.near.set(from.near);
  to.ground.set(from.ground);
  to.owner.fill(0);
  to.stamp.fill(0);
  to.covered.fill(0);
}

/** Light at a place, for small things: what comes from everywhere, and one main direction, in camera axes. */
export interface LocalLight {
  readonly ambient: Rgb;
  readonly key: Rgb;
  readonly towards: Vec;
  /** World's up in camera axes. */
  readonly up: Vec;
}

export function lightAt({ light, camera }: Canvas, place: Vec): LocalLight {
  const ambient: [number, number, number] = [...light.ambient];
  const key: [number, number, number] = [...light.sunRgb];
  const strength = key[0] + key[1] + key[2];
  let towards: Vec = [light.sun[0] * strength, light.sun[1] * strength, light.sun[2] * strength];
  const shine = (from: Vec, rgb: Rgb, reach: number) => {
    const d: Vec = [from[0] - place[0], from[1] - place[1], from[2] - place[2]];
    const far = dot(d, d);
    const fall = (reach * reach) / (reach * reach + far);
    const length = Math.sqrt(far) || 1;
    const sum = (rgb[0] + rgb[1] + rgb[2]) * fall;
    towards = [
      towards[0] + (d[0] / length) * sum,
      towards[1] + (d[1] / length) * sum,
      towards[2] + (d[2] / length) * sum,
    ];
    for (let c = 0; c < 3; c++) {
      key[c] += rgb[c] * fall * 0.8;
      ambient[c] += rgb[c] * fall * 0.2;
    }
  };
  for (const lamp of light.lamps) shine(lamp.position, lamp.rgb, lamp.reach);
  if (light.beam > 0) shine(camera.position, [light.beam, light.beam, light.beam], light.beamReach);
  const length = Math.sqrt(dot(towards, towards)) || 1;
  const world: Vec = [towards[0] / length, towards[1] / length, towards[2] / length];
  return { ambient, key, towards: turnToCamera(camera, world), up: turnToCamera(camera, [0, 1, 0]) };
}
