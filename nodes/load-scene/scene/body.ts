/**
 * A person as bones: joints from the pose, thickness from the build, paint from the clothes. Lengths are shares of the
 * height as anthropometry gives them (Drillis and Contini, 1966): leg 0.53, upper arm 0.17, shoulders 0.23.
 */

import { carriedBones } from "./carried.ts";
import { type BodyPaints, bodyPaints } from "./clothes.ts";
import type { Look } from "./look.ts";
import type { Limb, Pose } from "./pose.ts";
import type { Bone } from "./raster/bones.ts";
import { add, type Camera, cross, unit, type Vec } from "./raster/camera.ts";

export interface Stand {
  /** Foot point on the ground. */
  readonly x: number;
  readonly z: number;
  /** Radians; 0 looks along z. */
  readonly heading: number;
}

/** Named points of a body, in the world. */
export interface Joints {
  readonly forward: Vec;
  readonly right: Vec;
  /** Along the trunk. */
  readonly spine: Vec;
  readonly pelvis: Vec;
  readonly chest: Vec;
  readonly neck: Vec;
  readonly head: Vec;
  readonly hands: readonly [Vec, Vec];
}

const UP: Vec = [0, 1, 0];

export function bodyBones(look: Look, pose: Pose, stand: Stand, camera: Camera): Bone[] {
  const { height: h, build } = look;
  const forward: Vec = [Math.sin(stand.heading), 0, Math.cos(stand.heading)];
  const right: Vec = [Math.cos(stand.heading), 0, -Math.sin(stand.heading)];
  const reach = (leg: Limb) => h * (0.245 * Math.cos(leg.upper) + 0.245 * Math.cos(leg.lower) + 0.04);
  const hip = Math.max(reach(pose.legs[0]), reach(pose.legs[1]));
  const pelvis: Vec = [stand.x, hip, stand.z];
  const spine = turned(UP, forward, pose.lean);
  const chest = add(pelvis, spine, 0.285 * h);
  const neck = add(pelvis, spine, 0.315 * h);
  const size = look.child ? 1.22 : 1;
  const nod = turned(spine, forward, pose.nod * 0.6);
  const face = unit(
    add(turned(forward, UP, -pose.nod * 0.6), right, Math.tan(Math.min(1.2, Math.max(-1.2, pose.turn)))),
  );
  const head = add(neck, nod, 0.085 * h * size);
  const paints = bodyPaints(look, { up: nod, face, forward }, camera);
  const bones: Bone[] = [];
  const legEnds = pose.legs.map((leg, side) =>
    legBones({ look, paints, bones }, leg, { pelvis, forward, right, side }),
  );
  trunkBones({ look, paints, bones }, { pelvis, chest, neck, right, spine }, legEnds);
  const hands = pose.arms.map((arm, side) => armBones({ look, paints, bones }, arm, { chest, forward, right, side }));
  headBones({ look, paints, bones }, { neck, head, nod, face, size });
  const joints: Joints = {
    forward,
    right,
    spine,
    pelvis,
    chest,
    neck,
    head,
    hands: [hands[0] ?? chest, hands[1] ?? chest],
  };
  bones.push(...carriedBones(look, joints, build));
  return bones;
}

interface Making {
  readonly look: Look;
  readonly paints: BodyPaints;
  readonly bones: Bone[];
}

/** `a` turned towards `b` (at right angles to it). */
function turned(a: Vec, b: Vec, angle: number): Vec {
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  return [a[0] * c + b[0] * s, a[1] * c + b[1] * s, a[2] * c + b[2] * s];
}

function towards(a: Vec, b: Vec, t: number): Vec {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}

interface LegFrame {
  readonly pelvis: Vec;
  readonly forward: Vec;
  readonly right: Vec;
  /** 0: left, 1: right. */
  readonly side: number;
}

function legBones({ look, paints, bones }: Making, leg: Limb, { pelvis, forward, right, side }: LegFrame): Vec {
  const { height: h, build, bottom } = look;
  const out = side === 0 ? -1 : 1;
  const hip = add(pelvis, right, out * 0.05 * h);
  const down: Vec = [0, -1, 0];
  const knee = add(add(hip, turned(down, forward, leg.upper), 0.245 * h), right, out * leg.spread * 0.245 * h);
  const ankle = add(add(knee, turned(down, forward, leg.lower), 0.245 * h), right, out * leg.spread * 0.12 * h);
  const wide = bottom === "trousers" ? 1.1 : 1;
  const thigh = 0.056 * h * build * wide;
  bones.push({ a: hip, b: knee, ra: thigh, rb: 0.038 * h * wide * Math.sqrt(build), paint: paints.thigh });
  bones.push({ a: knee, b: ankle, ra: 0.037 * h * wide, rb: 0.025 * h * wide, paint: paints.shin });
  const toe = turned(forward, UP, Math.max(-0.9, Math.min(0.5, leg.lower * 0.7)));
  const sole = add(ankle, UP, -0.018 * h);
  bones.push({
    a: add(sole, toe, -0.015 * h),
    b: add(sole, toe, 0.095 * h),
    ra: 0.024 * h,
    rb: 0.02 * h,
    paint: paints.shoe,
  });
  return bottom === "robe" ? ankle : knee;
}

interface TrunkFrame {
  readonly pelvis: Vec;
  readonly chest: Vec;
  readonly neck: Vec;
  readonly right: Vec;
  readonly spine: Vec;
}

function trunkBones(making: Making, { pelvis, chest, neck, right, spine }: TrunkFrame, legEnds: readonly Vec[]): void {
  const { look, paints, bones } = making;
  const { height: h, build, bottom, top } = look;
  const thick = top === "jacket" || top === "coat" ? 1.12 : 1;
  const waist = 0.058 * h * build * thick;
  const breast = 0.062 * h * Math.sqrt(build) * thick;
  for (const out of [-1, 1]) {
    const low = add(pelvis, right, out * 0.038 * h * build);
    bones.push({ a: low, b: add(chest, right, out * 0.052 * h), ra: waist, rb: breast, paint: paints.trunk });
    const seat = add(pelvis, spine, -0.012 * h);
    bones.push({
      a: seat,
      b: add(seat, right, out * 0.045 * h),
      ra: 0.06 * h * build,
      rb: 0.055 * h * build,
      paint: paints.thigh,
    });
  }
  bones.push({
    a: add(pelvis, spine, 0.03 * h),
    b: add(chest, spine, -0.02 * h),
    ra: waist * 1.12,
    rb: breast * 1.14,
    paint: paints.front,
  });
  const shoulder = 0.046 * h * thick;
  bones.push({
    a: add(chest, right, -0.088 * h),
    b: add(chest, right, 0.088 * h),
    ra: shoulder,
    rb: shoulder,
    paint: paints.shoulders,
  });
  bones.push({
    a: add(chest, spine, 0.02 * h),
    b: add(neck, spine, 0.02 * h),
    ra: 0.042 * h,
    rb: 0.03 * h,
    paint: paints.neck,
  });
  const hem = top === "coat" ? 0.62 : bottom === "skirt" || bottom === "dress" ? 0.85 : bottom === "robe" ? 0.98 : 0;
  if (hem === 0) return;
  legEnds.forEach((end, side) => {
    const from = add(pelvis, right, (side === 0 ? -1 : 1) * 0.03 * h);
    bones.push({
      a: from,
      b: towards(from, end, hem),
      ra: 0.075 * h * build,
      rb: 0.085 * h * build,
      paint: paints.skirt,
    });
  });
  const [left, other] = legEnds;
  if (!left || !other) return;
  const middle: Vec = [(left[0] + other[0]) / 2, (left[1] + other[1]) / 2, (left[2] + other[2]) / 2];
  const to = towards(pelvis, middle, hem);
  bones.push({ a: pelvis, b: to, ra: 0.08 * h * build, rb: 0.09 * h * build, paint: paints.skirt });
}

interface ArmFrame {
  readonly chest: Vec;
  readonly forward: Vec;
  readonly right: Vec;
  readonly side: number;
}

function armBones({ look, paints, bones }: Making, arm: Limb, { chest, forward, right, side }: ArmFrame): Vec {
  const { height: h, build, top } = look;
  const out = side === 0 ? -1 : 1;
  const down: Vec = [0, -1, 0];
  const thick = (top === "jacket" || top === "coat" ? 1.25 : 1) * Math.sqrt(build);
  const shoulder = add(add(chest, right, out * 0.108 * h * Math.sqrt(build)), UP, -0.012 * h);
  const upper = turned(turned(down, forward, arm.upper), right, out * arm.spread);
  const elbow = add(shoulder, upper, 0.165 * h);
  const fore = turned(turned(down, forward, arm.lower), right, out * arm.spread * 0.4);
  const wrist = add(elbow, fore, 0.145 * h);
  bones.push({ a: shoulder, b: elbow, ra: 0.032 * h * thick, rb: 0.026 * h * thick, paint: paints.upperArm });
  bones.push({ a: elbow, b: wrist, ra: 0.025 * h * thick, rb: 0.019 * h * thick, paint: paints.foreArm });
  bones.push({ a: wrist, b: add(wrist, fore, 0.04 * h), ra: 0.019 * h, rb: 0.02 * h, paint: paints.hand });
  return add(wrist, fore, 0.03 * h);
}

interface HeadFrame {
  readonly neck: Vec;
  readonly head: Vec;
  readonly nod: Vec;
  readonly face: Vec;
  readonly size: number;
}

function headBones({ look, paints, bones }: Making, { neck, head, nod, face, size }: HeadFrame): void {
  const h = look.height * size;
  const chin = add(add(head, nod, -0.03 * h), face, 0.008 * h);
  const skull = add(add(head, nod, 0.018 * h), face, -0.006 * h);
  bones.push({ a: chin, b: skull, ra: 0.041 * h, rb: 0.051 * h, paint: paints.head });
  const back = (up: number, behind: number): Vec => add(add(head, nod, up * h), face, -behind * h);
  const { hair } = look;
  if (hair === "long") {
    bones.push({
      a: back(0.005, 0.025),
      b: add(add(neck, face, -0.04 * h), nod, -0.03 * h),
      ra: 0.048 * h,
      rb: 0.04 * h,
      paint: paints.hair,
    });
  } else if (hair === "bun") {
    bones.push({ a: back(0.045, 0.045), b: back(0.05, 0.05), ra: 0.024 * h, rb: 0.024 * h, paint: paints.hair });
  } else if (hair === "hood" || hair === "scarf") {
    bones.push({ a: back(-0.045, 0.012), b: back(0.012, 0.014), ra: 0.048 * h, rb: 0.057 * h, paint: paints.hair });
  } else if (hair === "cap" || hair === "helmet") {
    const brim = add(head, nod, 0.03 * h);
    const beyond = cross(nod, face);
    bones.push({ a: back(0.024, 0.006), b: back(0.028, 0.006), ra: 0.053 * h, rb: 0.052 * h, paint: paints.hair });
    for (const out of [-1, 1]) {
      const side = add(brim, beyond, out * 0.02 * h);
      bones.push({
        a: add(side, face, 0.03 * h),
        b: add(side, face, hair === "cap" ? 0.08 * h : 0.06 * h),
        ra: 0.012 * h,
        rb: 0.008 * h,
        paint: paints.hair,
      });
    }
  } else if (hair === "beanie") {
    bones.push({ a: back(0.025, 0.01), b: back(0.04, 0.012), ra: 0.053 * h, rb: 0.046 * h, paint: paints.hair });
  } else if (hair === "short") {
    bones.push({ a: back(0.02, 0.014), b: back(0.028, 0.008), ra: 0.052 * h, rb: 0.052 * h, paint: paints.hair });
  }
}
