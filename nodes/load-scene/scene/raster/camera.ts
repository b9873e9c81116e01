/** A pinhole camera over a flat ground. World: x right, y up, z forward, metres; the ground is y = 0. */

export type Vec = readonly [number, number, number];

export interface Camera {
  readonly position: Vec;
  /** Unit vectors of the picture's axes, in the world. */
  readonly right: Vec;
  readonly down: Vec;
  readonly forward: Vec;
  /** Focal length and centre, pixels. */
  readonly focal: number;
  readonly centreX: number;
  readonly centreY: number;
}

export interface CameraPose {
  readonly position: Vec;
  /** Radians: to the right, downwards, clockwise. */
  readonly yaw: number;
  readonly pitch: number;
  readonly roll: number;
  readonly focal: number;
  readonly width: number;
  readonly height: number;
}

export function dot(a: Vec, b: Vec): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function add(a: Vec, b: Vec, scale = 1): Vec {
  return [a[0] + b[0] * scale, a[1] + b[1] * scale, a[2] + b[2] * scale];
}

export function cross(a: Vec, b: Vec): Vec {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function unit(a: Vec): Vec {
  const length = Math.sqrt(dot(a, a)) || 1;
  return [a[0] / length, a[1] / length, a[2] / length];
}

export function cameraFrom(pose: CameraPose): Camera {
  const { yaw, pitch, roll, focal, width, height, position } = pose;
  const [sy, cy, sp, cp] = [Math.sin(yaw), Math.cos(yaw), Math.sin(pitch), Math.cos(pitch)];
  const forward: Vec = [sy * cp, -sp, cy * cp];
  const level: Vec = [cy, 0, -sy];
  const below: Vec = [-sy * sp, -cp, -cy * sp];
  const [sr, cr] = [Math.sin(roll), Math.cos(roll)];
  const right: Vec = [level[0] * cr + below[0] * sr, below[1] * sr, level[2] * cr + below[2] * sr];
  const down: Vec = [below[0] * cr - level[0] * sr, below[1] * cr, below[2] * cr - level[2] * sr];
  return { position, right, down, forward, focal, centreX: width / 2, centreY: height / 2 };
}

/** A world point in camera axes: right, down, depth. */
export function toCamera(camera: Camera, point: Vec): Vec {
  const d = add(point, camera.position, -1);
  return [dot(d, camera.right), dot(d, camera.down), dot(d, camera.forward)];
}

/** Pixel coordinates and depth; of use only where the depth is above 0. */
export function project(camera: Camera, point: Vec): Vec {
  const [x, y, z] = toCamera(camera, point);
  return [camera.centreX + (camera.focal * x) / z, camera.centreY + (camera.focal * y) / z, z];
}

/** A world direction in camera axes. */
export function turnToCamera(camera: Camera, d: Vec): Vec {
  return [dot(d, camera.right), dot(d, camera.down), dot(d, camera.forward)];
}
