/** A corridor: walls, doors, a ceiling with lights; benches, pillars and plants along the walls. */
import { hsv, mixed, scaled } from "../colour.ts";
import { distractor } from "../distractors.ts";
import { dado, door, plain, tiled } from "../paints.ts";
import { level, type Prop, slabFaces, wall } from "../prop.ts";
import type { Random } from "../random.ts";
import type { Vec } from "../raster/camera.ts";
import type { Lamp } from "../raster/canvas.ts";
import type { Face } from "../raster/faces.ts";
import type { HangingPlace, Place } from "./place.ts";
import { roomWalls } from "./room.ts";

export function corridor(random: Random): Place {
  const half = random.between(1.1, 2.8);
  const long = random.between(9, 32);
  const high = random.between(2.5, 3.3);
  const wallRgb = hsv(random.pick([0.1, 0.13, 0.55, 0.3, 0.0]), random.between(0, 0.18), random.between(0.6, 0.95));
  const lower = random.chance(0.5) ? wallRgb : hsv(random.next(), random.between(0.1, 0.5), random.between(0.3, 0.75));
  const wallPaint = dado(wallRgb, lower, random.between(0.9, 1.3));
  const faces: Face[] = [
    level([-half, 0, -2], [half, 0, long], floorPaint(random), { ground: true }),
    level([-half, high, -2], [half, high, long], ceiling(random), { ceiling: true }),
    ...roomWalls({ half, long, high, paint: wallPaint }),
  ];
  const doorRgb = hsv(random.pick([0.07, 0.1, 0.6, 0.35]), random.between(0.05, 0.5), random.between(0.2, 0.8));
  const hangings: HangingPlace[] = [];
  for (const side of [-1, 1]) {
    let z = random.between(1.5, 4);
    while (z < long - 1.5) {
      const normal: Vec = [-side, 0, 0];
      if (random.chance(0.75)) {
        const paint = door(doorRgb, 0.95, 2.1);
        faces.push(
          wall({ from: [side * (half - 0.02), 0, z], along: [0, 0, 1], length: 0.95, height: 2.1, normal, paint }),
        );
      }
      const gap = random.between(1.6, 4.5);
      hangings.push({ from: [side * half, 0, z + 1.1], along: [0, 0, 1], normal, length: gap - 0.2 });
      z += 0.95 + gap;
    }
  }
  const paint = door(doorRgb, 1.6, 2.15);
  faces.push(
    wall({ from: [-0.8, 0, long - 0.02], along: [1, 0, 0], length: 1.6, height: 2.15, normal: [0, 0, -1], paint }),
  );
  const lamps: Lamp[] = [];
  const spacing = random.between(2, 4);
  const panel = random.between(0.3, 0.6);
  for (let z = 1.5; z < long; z += spacing) {
    const light = random.chance(0.9);
    faces.push(
      level([-panel, high - 0.02, z - 0.3], [panel, high - 0.02, z + 0.3], plain([0.9, 0.9, 0.85], 0, 0), {
        ceiling: true,
        glow: light ? 1.1 : 0,
      }),
    );
    if (light) lamps.push({ position: [0, high - 0.2, z], rgb: [0.8, 0.76, 0.66], reach: 1.6 });
  }
  return {
    faces,
    props: furniture(half, long, high, random),
    walks: [[-half + 0.4, half - 0.4, 1, long - 0.5]],
    hangings,
    lamps,
    indoors: true,
    camera: {
      position: [random.between(-0.75, 0.75) * half, random.between(2.1, high - 0.12), random.between(-0.5, 0.3)],
      yaw: random.between(-0.16, 0.16),
      pitch: random.between(0.1, 0.5),
      fieldOfView: random.between(0.9, 1.7),
    },
  };
}

export function floorPaint(random: Random) {
  const rgb = hsv(random.pick([0.08, 0.1, 0.58, 0.0]), random.between(0, 0.3), random.between(0.25, 0.8));
  const size = random.pick([0.3, 0.4, 0.6] as const);
  if (random.chance(0.3)) return plain(rgb, 0.3, 0.15);
  const second = random.chance(0.25) ? mixed(rgb, [0.05, 0.05, 0.05], 0.6) : undefined;
  return tiled({
    colour: rgb,
    joint: scaled(rgb, 0.55),
    width: size,
    height: size,
    gap: 0.008,
    vary: 0.12,
    ...(second && { second }),
  });
}

function ceiling(random: Random) {
  const rgb = hsv(0.1, 0.04, random.between(0.6, 0.92));
  return tiled({ colour: rgb, joint: scaled(rgb, 0.7), width: 0.6, height: 0.6, gap: 0.02, vary: 0.04 });
}

function furniture(half: number, long: number, high: number, random: Random): Prop[] {
  const props: Prop[] = [];
  const wood = plain(hsv(0.08, random.between(0.1, 0.5), random.between(0.2, 0.6)), 0.3, 0.1);
  const count = random.int(0, 4);
  for (let i = 0; i < count; i++) {
    const side = random.chance(0.5) ? 1 : -1;
    const z = random.between(2.5, long - 1);
    const kind = random.weighted({ bench: 4, cabinet: 3, plant: 2, bin: 1, pillar: half > 1.8 ? 3 : 0 });
    if (kind === "plant" || kind === "bin") {
      props.push(distractor(kind, { x: side * (half - 0.35), z, yaw: (side * Math.PI) / 2 }, random));
    } else if (kind === "bench") {
      const faces = slabFaces({ base: [side * (half - 0.25), 0.36, z], size: [0.42, 0.09, 1.6], yaw: 0, paint: wood });
      const legs = [-0.6, 0.6].flatMap((at) =>
        slabFaces({ base: [side * (half - 0.25), 0, z + at], size: [0.36, 0.36, 0.06], yaw: 0, paint: wood }),
      );
      props.push({ faces: [...faces, ...legs], bones: [], x: side * (half - 0.25), z, radius: 0.6 });
    } else if (kind === "cabinet") {
      const size: Vec = [0.45, random.between(0.8, 1.9), random.between(0.6, 1.4)];
      props.push({
        faces: slabFaces({ base: [side * (half - 0.24), 0, z], size, yaw: 0, paint: wood }),
        bones: [],
        x: side * (half - 0.24),
        z,
        radius: 0.6,
      });
    } else {
      const x = side * random.between(0.4, half - 0.5);
      const paint = plain(hsv(0.1, 0.05, random.between(0.5, 0.9)), 0.2, 0.08);
      props.push({
        faces: slabFaces({ base: [x, 0, z], size: [0.4, high, 0.4], yaw: 0, paint }),
        bones: [],
        x,
        z,
        radius: 0.45,
      });
    }
  }
  return props;
}
