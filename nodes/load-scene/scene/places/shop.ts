/** A shop: rows of shelves with goods, a counter, and a ceiling with lights, seen from a corner. */
import { hsv } from "../colour.ts";
import { distractor } from "../distractors.ts";
import { goods, plain, tiled } from "../paints.ts";
import { level, type Prop, slabFaces } from "../prop.ts";
import type { Random } from "../random.ts";
import type { Vec } from "../raster/camera.ts";
import type { Lamp } from "../raster/canvas.ts";
import type { Face } from "../raster/faces.ts";
import { floorPaint } from "./corridor.ts";
import type { HangingPlace, Place, Rect } from "./place.ts";
import { roomWalls } from "./room.ts";

export function shop(random: Random): Place {
  const half = random.between(3.5, 7.5);
  const long = random.between(9, 19);
  const high = random.between(2.9, 4);
  const wallPaint = plain(hsv(random.next(), random.between(0, 0.15), random.between(0.55, 0.95)), 0.15, 0.05);
  const front = random.between(0.5, 2);
  const hangings: HangingPlace[] = [
    { from: [-half, 0.6, 2], along: [0, 0, 1], normal: [1, 0, 0], length: long - 3 },
    { from: [half, 0.6, 2], along: [0, 0, 1], normal: [-1, 0, 0], length: long - 3 },
    { from: [-half + 0.5, 0.6, long], along: [1, 0, 0], normal: [0, 0, -1], length: 2 * half - 1 },
  ];
  const faces: Face[] = [
    level([-half, 0, -2], [half, 0, long], floorPaint(random), { ground: true }),
    level(
      [-half, high, -2],
      [half, high, long],
      tiled({
        colour: hsv(0.1, 0.02, random.between(0.45, 0.9)),
        joint: [0.3, 0.3, 0.3],
        width: 1.2,
        height: 0.6,
        gap: 0.02,
        vary: 0.05,
      }),
      { ceiling: true },
    ),
    ...roomWalls({ half, long, high, paint: wallPaint }),
  ];
  const lamps: Lamp[] = [];
  for (let x = -half + 1.5; x < half; x += random.between(2, 3)) {
    faces.push(
      level([x - 0.12, high - 0.03, 0], [x + 0.12, high - 0.03, long - 0.5], plain([0.95, 0.95, 0.9], 0, 0), {
        ceiling: true,
        glow: 1,
      }),
    );
    if (lamps.length < 4)
      lamps.push({ position: [x, high - 0.3, random.between(2, long - 2)], rgb: [0.8, 0.78, 0.7], reach: 2.2 });
  }
  const { props, walks } = shelving({ half, long, front }, random);
  const side = random.chance(0.5) ? 1 : -1;
  return {
    faces,
    props,
    walks,
    hangings,
    lamps,
    indoors: true,
    camera: {
      position: [side * random.between(0.2, 0.85) * half, random.between(2.3, high - 0.15), random.between(-0.8, 0.4)],
      yaw: -side * random.between(0.02, 0.5),
      pitch: random.between(0.18, 0.6),
      fieldOfView: random.between(0.95, 1.75),
    },
  };
}

interface Room {
  readonly half: number;
  readonly long: number;
  readonly front: number;
}

/** Shelves along the room or across it, with aisles that a trolley passes. */
function shelving({ half, long, front }: Room, random: Random): { readonly props: Prop[]; readonly walks: Rect[] } {
  const props: Prop[] = [];
  const walks: Rect[] = [[-half + 0.4, half - 0.4, front + 0.4, front + 2.6]];
  const across = random.chance(0.35);
  const tall = random.between(1.25, 2.2);
  const aisle = random.between(1.5, 2.4);
  const saturation = random.between(0.4, 0.95);
  const begin = front + 2.8;
  const rack = (x: number, z: number, size: Vec) => {
    const paint = goods(random.pick([0.32, 0.4, 0.5] as const), random.int(0, 9999), saturation);
    const top = plain(hsv(0.1, 0.03, 0.75), 0.1, 0.05);
    props.push({ faces: slabFaces({ base: [x, 0, z], size, yaw: 0, paint, top }), bones: [], x, z, radius: 0.2 });
  };
  if (across) {
    for (let z = begin; z < long - 1; z += aisle + 0.7) {
      const gap = random.chance(0.5) ? 0.9 : random.between(1, half * 0.8);
      const w = (2 * half - gap - 1.4) / 2;
      if (w > 1) for (const out of [-1, 1]) rack(out * (gap / 2 + w / 2), z, [w, tall, 0.6]);
      walks.push([-half + 0.4, half - 0.4, z + 0.6, z + aisle]);
    }
  } else {
    for (let x = -half + aisle + 0.2; x < half - aisle * 0.6; x += aisle + 0.7) {
      rack(x + 0.35, (begin + long - 1.2) / 2, [0.7, tall, long - 1.2 - begin]);
      walks.push([x - aisle + 0.3, x - 0.3, begin, long - 1]);
    }
    walks.push([-half + 0.4, half - 0.4, long - 1.2, long - 0.4]);
  }
  if (random.chance(0.6)) {
    const [w, x] = [random.between(1.6, 3), random.between(-0.5, 0.5) * half];
    const paint = plain(hsv(random.next(), random.between(0, 0.5), random.between(0.25, 0.8)), 0.15, 0.05);
    props.push({
      faces: slabFaces({
        base: [x, 0, front + 1.4],
        size: [w, random.between(0.9, 1.15), 0.65],
        yaw: random.between(-0.2, 0.2),
        paint,
      }),
      bones: [],
      x,
      z: front + 1.4,
      radius: 0.5,
    });
  }
  if (random.chance(0.4)) props.push(distractor("plant", { x: -half + 0.5, z: long - 0.6, yaw: 0 }, random));
  return { props, walks };
}
