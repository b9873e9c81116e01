/** What people carry. It hides and is hidden, and is no part of a person's box. */
import type { Joints } from "./body.ts";
import type { Look } from "./look.ts";
import type { Bone, BonePaint } from "./raster/bones.ts";
import { add, type Vec } from "./raster/camera.ts";
import type { Rgb } from "./raster/canvas.ts";
import { smooth } from "./raster/noise.ts";

const UP: Vec = [0, 1, 0];

export function carriedBones(look: Look, joints: Joints, build: number): Bone[] {
  const { height: h, carried, carriedRgb } = look;
  const { forward, right, spine, pelvis, chest, hands } = joints;
  const paint = stuff(carriedRgb, look.folds);
  const bar = (a: Vec, b: Vec, ra: number, rb = ra): Bone => ({ a, b, ra, rb, paint, carried: true });
  const [left, other] = hands;
  switch (carried) {
    case "nothing":
      return [];
    case "backpack": {
      const behind = add(add(pelvis, spine, 0.1 * h), forward, -0.085 * h * build);
      const sides = [-1, 0, 1].map((out) => {
        const low = add(behind, right, out * 0.045 * h);
        return bar(low, add(low, spine, 0.16 * h), 0.05 * h, 0.045 * h);
      });
      const pocket = add(add(behind, spine, 0.03 * h), forward, -0.035 * h);
      return [...sides, bar(add(pocket, right, -0.03 * h), add(pocket, right, 0.03 * h), 0.032 * h)];
    }
    case "handbag": {
      const at = add(add(pelvis, right, 0.12 * h), UP, 0.01 * h);
      const strap = add(chest, right, -0.06 * h);
      return [bar(add(at, forward, -0.05 * h), add(at, forward, 0.05 * h), 0.045 * h), bar(at, strap, 0.008 * h)];
    }
    case "suitcase": {
      const foot: Vec = [other[0] - forward[0] * 0.35, 0.13, other[2] - forward[2] * 0.35];
      const cases = [-1, 1].map((out) => {
        const low = add(foot, right, out * 0.09);
        return bar(low, add(low, UP, 0.42), 0.12);
      });
      return [...cases, bar(add(foot, UP, 0.5), other, 0.015)];
    }
    case "box": {
      const at: Vec = [(left[0] + other[0]) / 2, (left[1] + other[1]) / 2, (left[2] + other[2]) / 2];
      return [0, 1, 2].map((row) => {
        const middle = add(add(at, UP, row * 0.08), forward, 0.04);
        return bar(add(middle, right, -0.17), add(middle, right, 0.17), 0.085);
      });
    }
    case "umbrella": {
      const tip = add(add(other, UP, 0.62 * h), forward, 0.06);
      const ribs = Array.from({ length: 9 }, (_, i) => {
        const angle = (i * 2 * Math.PI) / 9;
        const rim = add(add(add(tip, UP, -0.2), forward, 0.38 * Math.cos(angle)), right, 0.38 * Math.sin(angle));
        return bar(tip, rim, 0.05, 0.13);
      });
      return [...ribs, bar(other, tip, 0.012)];
    }
    case "shoppingBags":
      return [left, other].map((hand) => bar(add(hand, UP, -0.14), add(hand, UP, -0.36), 0.07, 0.12));
    case "phone":
      return [bar(add(other, UP, 0.02), add(other, UP, 0.09), 0.03)];
  }
}

function stuff(rgb: Rgb, seed: number): BonePaint {
  return ({ t, nx, ny }, out) => {
    const k = 0.8 + 0.35 * smooth(t * 6 + nx * 3 + seed, ny * 5 + seed);
    out[0] = rgb[0] * k;
    out[1] = rgb[1] * k;
    out[2] = rgb[2] * k;
  };
}
