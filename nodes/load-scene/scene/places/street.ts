/** A street: road and pavements between house fronts, parked cars, trees, posts; seen along it or across. */
import { hsv, scaled } from "../colour.ts";
import { distractor } from "../distractors.ts";
import { barrier, bush, car, post, tree } from "../outdoors.ts";
import { facade, plain, tiled } from "../paints.ts";
import { level, type Prop, slabFaces, wall } from "../prop.ts";
import type { Random } from "../random.ts";
import type { Vec } from "../raster/camera.ts";
import type { Lamp } from "../raster/canvas.ts";
import type { Face, FacePaint } from "../raster/faces.ts";
import type { HangingPlace, Place } from "./place.ts";
import { wallPaint } from "./yard.ts";

export function street(random: Random): Place {
  const road = random.between(2.8, 5);
  const pavement = random.between(2, 4.5);
  const far = 70;
  const edge = road + pavement;
  const hangings: HangingPlace[] = [];
  const slab = hsv(random.between(0.05, 0.12), random.between(0, 0.12), random.between(0.4, 0.7));
  const paving = tiled({
    colour: slab,
    joint: scaled(slab, 0.6),
    width: random.between(0.3, 0.7),
    height: random.between(0.3, 0.6),
    gap: 0.012,
    vary: 0.2,
    bond: random.chance(0.5),
  });
  const faces: Face[] = [
    level([-road, 0, -8], [road, 0, far], roadPaint(random, road), { ground: true }),
    level([-edge, 0, -8], [-road, 0, far], paving, { ground: true }),
    level([road, 0, -8], [edge, 0, far], paving, { ground: true }),
    level([-60, 0, far], [60, 0, 200], plain(hsv(0.25, 0.2, 0.35), 0.4, 0), { ground: true }),
  ];
  for (const side of [-1, 1]) {
    let z = -6;
    while (z < far) {
      const length = random.between(6, 16);
      const normal: Vec = [-side, 0, 0];
      const paint = facade({
        wall: wallPaint(random),
        floor: random.between(2.9, 3.6),
        bay: random.between(1.7, 3.4),
        lit: random.between(0.05, 0.4),
        glow: random.between(0, 0.7),
        seed: random.int(0, 9999),
      });
      const height = random.between(4, 13);
      const bare = plain(hsv(random.between(0.04, 0.1), 0.15, random.between(0.3, 0.6)), 0.3, 0.1);
      faces.push(wall({ from: [side * edge, 0, z], along: [0, 0, 1], length, height, normal, paint }));
      faces.push(
        ...slabFaces({
          base: [side * (edge + 5.05), 0, z + length / 2],
          size: [10, height, length],
          yaw: 0,
          paint: bare,
        }),
      );
      hangings.push({
        from: [side * edge, 0, Math.max(2, z)],
        along: [0, 0, 1],
        normal,
        length: Math.max(0.5, length - 1),
      });
      z += length + (random.chance(0.15) ? random.between(1, 4) : 0);
    }
    const kerb = plain(scaled(slab, 1.15), 0.2, 0.1);
    faces.push(...slabFaces({ base: [side * road, 0, far / 2 - 4], size: [0.14, 0.1, far], yaw: 0, paint: kerb }));
  }
  const lamps: Lamp[] = [4, 13, 24].map((z) => ({
    position: [(random.chance(0.5) ? 1 : -1) * (road + 0.5), 4.6, z + random.between(-1, 2)],
    rgb: random.chance(0.5) ? [1.7, 1.1, 0.45] : [1.3, 1.3, 1.2],
    reach: random.between(2.5, 4),
  }));
  const side = random.chance(0.5) ? 1 : -1;
  return {
    faces,
    props: things(road, edge, random),
    walks: [
      [-edge + 0.4, -road - 0.2, 1.5, 50],
      [road + 0.2, edge - 0.4, 1.5, 50],
      [-road, road, 3, 50],
    ],
    hangings,
    lamps,
    indoors: false,
    camera: {
      position: [side * random.between(0, edge - 0.4), 2.3 + 3.7 * random.next() ** 1.6, random.between(-1, 0.5)],
      yaw: -side * random.between(-0.1, 0.6),
      pitch: random.between(0.1, 0.5),
      fieldOfView: random.between(0.75, 1.6),
    },
  };
}

/** Asphalt with a dashed line in the middle, and stripes to cross it somewhere. */
function roadPaint(random: Random, road: number): FacePaint {
  const base = plain(hsv(0.6, 0.03, random.between(0.18, 0.4)), 0.35, 0.25);
  const crossing = random.chance(0.5) ? random.between(5, 16) : -100;
  return (at, out) => {
    const { u, v } = at;
    base(at, out);
    const x = u - road;
    const z = v - 8;
    const dash = Math.abs(x) < 0.07 && (z / 3) % 1 < 0.5;
    const stripe = z > crossing && z < crossing + 3 && (x + 50) % 1 < 0.5;
    if (dash || stripe) for (let c = 0; c < 3; c++) out[c] = (out[c] ?? 0) * 0.35 + 0.42;
  };
}

function things(road: number, edge: number, random: Random): Prop[] {
  const props: Prop[] = [];
  for (const side of [-1, 1]) {
    for (let z = random.between(4, 9); z < 45; z += random.between(5.4, 14)) {
      if (random.chance(0.5)) props.push(car({ x: side * (road - 1.05), z, yaw: side > 0 ? 0 : Math.PI }, random));
    }
    for (let z = random.between(3, 12); z < 40; z += random.between(7, 16)) {
      const spot = { x: side * (road + 0.5), z, yaw: 0 };
      const kind = random.weighted({ tree: 4, post: 3, bin: 1, bush: 1, none: 4 });
      if (kind === "tree") props.push(tree(spot, random));
      else if (kind === "post") props.push(post(spot, random));
      else if (kind === "bush") props.push(bush({ ...spot, yaw: Math.PI / 2 }, random));
      else if (kind === "bin") props.push(distractor("bin", spot, random));
    }
  }
  if (random.chance(0.3))
    props.push(
      car(
        { x: random.between(-1, 1) * (road - 2), z: random.between(9, 35), yaw: random.chance(0.5) ? 0 : Math.PI },
        random,
      ),
    );
  if (random.chance(0.25)) {
    const z = random.between(4, 12);
    const x = (random.chance(0.5) ? 1 : -1) * (edge - 1.2);
    props.push(
      barrier([x, 0, z], [x, 0, z + random.between(2, 4)], {
        height: random.between(0.5, 1.1),
        paint: wallPaint(random),
      }),
    );
  }
  return props;
}
