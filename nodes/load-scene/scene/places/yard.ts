/** A yard: ground before a building with gates and windows, cars, bins, trees, hedges and a fence. */
import { hsv, scaled } from "../colour.ts";
import { distractor } from "../distractors.ts";
import { barrier, bush, car, fence, post, tree } from "../outdoors.ts";
import { door, facade, grass, plain, ribbed, tiled } from "../paints.ts";
import { level, type Prop, slabFaces, wall } from "../prop.ts";
import type { Random } from "../random.ts";
import type { Vec } from "../raster/camera.ts";
import type { Face, FacePaint } from "../raster/faces.ts";
import type { HangingPlace, Place } from "./place.ts";

export function yard(random: Random): Place {
  const deep = random.between(11, 30);
  const half = random.between(7, 16);
  const masonry = wallPaint(random);
  const height = random.between(3.5, 8);
  const faces: Face[] = [level([-60, 0, -8], [60, 0, 120], groundPaint(random), { ground: true })];
  const hangings: HangingPlace[] = [{ from: [-half, 0, deep], along: [1, 0, 0], normal: [0, 0, -1], length: 2 * half }];
  const built = random.chance(0.85);
  if (built) {
    const bare = plain(hsv(0.07, 0.12, random.between(0.3, 0.6)), 0.3, 0.1);
    faces.push(
      wall({
        from: [-half * 1.4, 0, deep],
        along: [1, 0, 0],
        length: half * 2.8,
        height,
        normal: [0, 0, -1],
        paint: masonry,
      }),
    );
    faces.push(...slabFaces({ base: [0, 0, deep + 5.05], size: [half * 2.8, height, 10], yaw: 0, paint: bare }));
    let x = -half + random.between(0, 2);
    while (x < half) {
      const gate = random.chance(0.4);
      const [w, h] = gate ? [random.between(2.4, 3.6), random.between(2.2, 3)] : [1, 2.1];
      const rgb = hsv(random.next(), random.between(0, 0.5), random.between(0.2, 0.8));
      const paint = gate ? ribbed(rgb, 0.14, true) : door(rgb, w, h);
      faces.push(
        wall({ from: [x, 0, deep - 0.03], along: [1, 0, 0], length: w, height: h, normal: [0, 0, -1], paint }),
      );
      x += w + random.between(2, 5);
    }
  }
  const side = random.chance(0.5) ? 1 : -1;
  if (random.chance(0.6)) {
    faces.push(
      wall({
        from: [side * half, 0, 2],
        along: [0, 0, 1],
        length: deep,
        height: random.between(2.2, 6),
        normal: [-side, 0, 0],
        paint: masonry,
      }),
    );
    hangings.push({ from: [side * half, 0, 3], along: [0, 0, 1], normal: [-side, 0, 0], length: deep - 3 });
  }
  const lamps = Array.from({ length: random.int(1, 3) }, () => ({
    position: [random.between(-half, half) * 0.8, random.between(3, 5), random.between(3, deep)] as Vec,
    rgb: random.chance(0.5) ? ([1.5, 1.05, 0.5] as const) : ([1.2, 1.25, 1.3] as const),
    reach: random.between(2, 4),
  }));
  return {
    faces,
    props: things(half, deep, random),
    walks: [[-half + 0.6, half - 0.6, 1.5, built ? deep - 0.6 : deep + 12]],
    hangings: built ? hangings : hangings.slice(1),
    lamps,
    indoors: false,
    camera: {
      position: [random.between(-0.5, 0.5) * half, 2.2 + 3.3 * random.next() ** 1.6, random.between(-1, 0.5)],
      yaw: random.between(-0.35, 0.35),
      pitch: random.between(0.12, 0.55),
      fieldOfView: random.between(0.8, 1.7),
    },
  };
}

export function wallPaint(random: Random): FacePaint {
  const kind = random.weighted({ brick: 4, plaster: 4, concrete: 3, metal: 1, windows: 3 });
  const rgb = hsv(random.between(0.02, 0.12), random.between(0.1, 0.5), random.between(0.3, 0.75));
  if (kind === "brick")
    return tiled({
      colour: rgb,
      joint: [0.45, 0.43, 0.4],
      width: 0.24,
      height: 0.08,
      gap: 0.012,
      vary: 0.5,
      bond: true,
    });
  if (kind === "metal") return ribbed(hsv(random.next(), 0.15, random.between(0.35, 0.75)), 0.3, false);
  const plaster = plain(
    kind === "concrete"
      ? hsv(0.1, 0.04, random.between(0.35, 0.7))
      : hsv(random.between(0.05, 0.16), random.between(0.05, 0.3), random.between(0.5, 0.9)),
    0.35,
    0.15,
  );
  if (kind !== "windows") return plaster;
  return facade({
    wall: plaster,
    floor: random.between(2.8, 3.6),
    bay: random.between(1.8, 3.2),
    lit: 0.15,
    glow: random.between(0, 0.8),
    seed: random.int(0, 999),
  });
}

export function groundPaint(random: Random): FacePaint {
  const kind = random.weighted({ asphalt: 4, slabs: 3, concrete: 3, grass: 2, gravel: 1 });
  const rgb = hsv(random.between(0.05, 0.15), random.between(0, 0.15), random.between(0.25, 0.65));
  if (kind === "slabs") {
    const size = random.between(0.3, 0.9);
    return tiled({
      colour: rgb,
      joint: scaled(rgb, 0.5),
      width: size,
      height: size * random.pick([1, 0.5] as const),
      gap: 0.012,
      vary: 0.25,
      bond: random.chance(0.5),
    });
  }
  if (kind === "grass") return grass(hsv(random.between(0.2, 0.3), 0.5, random.between(0.3, 0.5)), hsv(0.12, 0.4, 0.5));
  if (kind === "asphalt") return plain(hsv(0.6, 0.03, random.between(0.2, 0.45)), 0.4, 0.3);
  return plain(rgb, 0.45, kind === "gravel" ? 0.8 : 0.2);
}

function things(half: number, deep: number, random: Random): Prop[] {
  const props: Prop[] = [];
  const spot = () => ({
    x: random.between(-half, half),
    z: random.between(5, deep + 2),
    yaw: random.between(-Math.PI, Math.PI),
  });
  const aligned = random.chance(0.5) ? 0 : Math.PI / 2;
  for (let i = random.int(0, 3); i > 0; i--)
    props.push(
      car({ ...spot(), yaw: aligned + random.between(-0.15, 0.15) + (random.chance(0.5) ? Math.PI : 0) }, random),
    );
  for (let i = random.int(0, 3); i > 0; i--) props.push(tree({ ...spot(), z: random.between(6, deep + 6) }, random));
  for (let i = random.int(0, 3); i > 0; i--) props.push(bush(spot(), random));
  for (let i = random.int(0, 2); i > 0; i--) props.push(distractor("bin", spot(), random));
  if (random.chance(0.3)) props.push(post(spot(), random));
  const z = random.between(4, deep);
  const run = random.between(2, half);
  const x = random.between(-half, half - run);
  if (random.chance(0.35)) props.push(fence([x, 0, z], [x + run, 0, z + random.between(-1.5, 1.5)], random));
  else if (random.chance(0.3))
    props.push(barrier([x, 0, z], [x + run, 0, z], { height: random.between(0.5, 1.2), paint: wallPaint(random) }));
  return props;
}
