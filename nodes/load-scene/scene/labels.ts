/** The labels of a picture: the box of what is seen of each person, and how much of them that is. */
import type { Bone } from "./raster/bones.ts";
import { project } from "./raster/camera.ts";
import type { Seen } from "./raster/owners.ts";
import type { Scene } from "./scene.ts";

export interface ScenePerson {
  /** The same person has the same number in every picture of a scene. */
  readonly track: number;
  /** x, y of the top-left corner, width, height of what is seen of them; pixels. */
  readonly box: readonly [number, number, number, number];
  /** Share of the body that is seen, 0..1: the rest is hidden by something or outside the picture. */
  readonly visible: number;
  /** Share of the body's part inside the picture that something hides, 0..1. */
  readonly occluded: number;
  /** Too little is seen to ask for: less than 15 % of the body, or a box less high than 16 of 416 pixels. */
  readonly ignored: boolean;
}

const LEAST_VISIBLE = 0.15;
const LEAST_HEIGHT = 16 / 416;

export interface Sighting {
  readonly track: number;
  readonly seen: Seen;
  readonly occluded: number;
  readonly bones: readonly Bone[];
}

export function personSeen(scene: Scene, { track, seen, occluded, bones }: Sighting): ScenePerson {
  const box = [seen.left, seen.top, seen.right - seen.left + 1, seen.bottom - seen.top + 1] as const;
  const visible = (1 - occluded) * shareInside(scene, bones);
  return { track, box, visible, occluded, ignored: visible < LEAST_VISIBLE || box[3] < LEAST_HEIGHT * scene.height };
}

/** How much of the body's outline box lies inside the picture. */
function shareInside({ camera, width, height, scale, conditions }: Scene, bones: readonly Bone[]): number {
  const { k1, k2 } = conditions.lens;
  // The lens shows a little more than the straight picture: at the middle of an edge, by this much.
  const reach = (half: number) => {
    const r = (half * half) / ((width * width + height * height) / 4);
    return half * (1 + r * (k1 + r * k2)) * scale;
  };
  let [left, top] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let [right, bottom] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const bone of bones) {
    if (bone.carried) continue;
    for (const [point, radius] of [
      [bone.a, bone.ra],
      [bone.b, bone.rb],
    ] as const) {
      const [x, y, z] = project(camera, point);
      if (z < 0.15) continue;
      const r = (camera.focal * radius) / z;
      left = Math.min(left, x - r);
      right = Math.max(right, x + r);
      top = Math.min(top, y - r);
      bottom = Math.max(bottom, y + r);
    }
  }
  return (
    overlap(left, right, [camera.centreX, reach(width / 2)]) * overlap(top, bottom, [camera.centreY, reach(height / 2)])
  );
}

/** Share of [low, high] within `half` of `centre`. */
function overlap(low: number, high: number, [centre, half]: readonly [number, number]): number {
  return Math.max(0, Math.min(high, centre + half) - Math.max(low, centre - half)) / Math.max(1e-6, high - low);
}
