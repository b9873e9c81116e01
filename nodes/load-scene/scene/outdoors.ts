/** Large things of streets and yards: cars, trees, bushes, lamp posts, fences. */
import { hex, hsv, scaled } from "./colour.ts";
import type { Spot } from "./distractors.ts";
import { plain } from "./paints.ts";
import { axesOf, bone, leafy, matt, type Prop, slabFaces, slope } from "./prop.ts";
import type { Random } from "./random.ts";
import type { Bone } from "./raster/bones.ts";
import { add, dot, type Vec } from "./raster/camera.ts";
import type { Face, FacePaint } from "./raster/faces.ts";

export function car({ x, z, yaw }: Spot, random: Random): Prop {
  const { right, forward } = axesOf(yaw);
  const van = random.chance(0.25);
  const [w, l] = [random.between(1.68, 1.9), van ? random.between(4.8, 5.6) : random.between(3.8, 4.8)];
  const hood = van ? 1.0 : 0.82;
  const roof = van ? random.between(1.9, 2.3) : random.between(1.4, 1.6);
  const rgb = random.chance(0.7)
    ? hsv(0.6, random.between(0, 0.12), random.between(0.05, 0.95))
    : hex(random.pick(["#7a1414", "#16305e", "#24482f", "#8a6a1f", "#b8b3a6"]));
  const body = plain(rgb, 0.12, 0);
  const glass: FacePaint = ({ u, v }, out) => {
    const k = 0.03 + 0.06 * v + 0.02 * Math.sin(u * 2);
    out[0] = k;
    out[1] = k * 1.1;
    out[2] = k * 1.2;
  };
  const pillars = random.between(0.95, 1.3);
  const pane: FacePaint = (at, out) => {
    const { u, v } = at;
    const pillar = (u + 0.4) % pillars < 0.09 || v < 0.05 || v > (roof - hood) * 0.93;
    (pillar ? body : glass)(at, out);
  };
  const panel: FacePaint = (at, out) => {
    const { u, v } = at;
    body(at, out);
    const seam = Math.abs((u % 1.25) - 0.62) < 0.012 || v < 0.08;
    if (seam) for (let c = 0; c < 3; c++) out[c] = (out[c] ?? 0) * 0.4;
  };
  const at = (r: number, u: number, f: number): Vec => add(add([x, u, z], right, r), forward, f);
  const [a, b, c, d] = van
    ? [-l / 2, -l / 2 + 0.1, l / 2 - 1.3, l / 2 - 0.8]
    : [-l / 2 + 0.25, -l / 2 + 0.85, l / 2 - 2, l / 2 - 1.15];
  const t = w / 2 - 0.16;
  const s = w / 2;
  const faces: Face[] = [
    ...slabFaces({ base: [x, 0.28, z], size: [w, hood - 0.28, l], yaw, paint: panel, top: body }),
    slope([at(s, hood, d), at(-s, hood, d)], [at(t, roof, c), at(-t, roof, c)], glass),
    slope([at(-s, hood, a), at(s, hood, a)], [at(-t, roof, b), at(t, roof, b)], glass),
    {
      points: [at(-t, roof, b), at(t, roof, b), at(t, roof, c), at(-t, roof, c)],
      origin: at(0, roof, 0),
      u: right,
      v: forward,
      normal: [0, 1, 0],
      paint: body,
    },
    cabinSide([at(s, hood, a), at(s, hood, d)], [at(t, roof, b), at(t, roof, c)], right, pane),
    cabinSide([at(-s, hood, a), at(-s, hood, d)], [at(-t, roof, b), at(-t, roof, c)], scaled(right, -1), pane),
  ];
  const tyre = matt([0.02, 0.02, 0.022], 0.1);
  const bones: Bone[] = [];
  for (const r of [-s + 0.06, s - 0.06])
    for (const f of [-l / 2 + 0.75, l / 2 - 0.8]) bones.push(bone(at(r, 0.31, f), at(r * 1.01, 0.31, f), 0.31, tyre));
  for (const r of [-s + 0.2, s - 0.2]) {
    bones.push(bone(at(r, 0.62, l / 2), at(r, 0.62, l / 2), 0.09, matt([0.8, 0.8, 0.75], 0)));
    bones.push(bone(at(r, 0.68, -l / 2), at(r, 0.68, -l / 2), 0.08, matt([0.4, 0.02, 0.02], 0)));
  }
  return { faces, bones, x, z, radius: l / 2 };
}

/** A side of the cabin: glass between pillars, leaning in towards the roof. */
function cabinSide(low: readonly [Vec, Vec], high: readonly [Vec, Vec], outwards: Vec, paint: FacePaint): Face {
  const side = slope(low, high, paint);
  return dot(side.normal, outwards) > 0 ? side : { ...side, normal: scaled(side.normal, -1) };
}

export function tree({ x, z }: Spot, random: Random): Prop {
  const bark = matt(hsv(0.08, 0.35, random.between(0.15, 0.35)), 0.7, random.between(0, 99));
  const h = random.between(2.2, 3.4);
  const thick = random.between(0.1, 0.22);
  const green = hsv(random.between(0.17, 0.36), random.between(0.35, 0.65), random.between(0.25, 0.5));
  const crown = random.between(1, 1.8);
  const bones: Bone[] = [bone([x, 0, z], [x + random.between(-0.2, 0.2), h + 0.5, z], [thick, thick * 0.6], bark)];
  for (let i = 0; i < 22; i++) {
    const angle = random.between(0, 2 * Math.PI);
    const out = random.between(0, crown);
    const at: Vec = [x + out * Math.cos(angle), h + random.between(0.2, 2.2), z + out * Math.sin(angle)];
    bones.push({
      ...bone(at, add(at, [0.2, 0.1, 0]), random.between(0.5, 0.95), leafy(green, i * 13.7)),
      ragged: 0.75,
    });
  }
  return { faces: [], bones, x, z, radius: 0.5 };
}

/** From knee to chest height: what legs vanish behind. */
export function bush({ x, z, yaw }: Spot, random: Random): Prop {
  const { right } = axesOf(yaw);
  const green = hsv(random.between(0.2, 0.36), random.between(0.35, 0.65), random.between(0.2, 0.42));
  const h = random.between(0.4, 1.1);
  const long = random.between(0.6, 2.6);
  const bones = Array.from({ length: Math.ceil(8 + long * 4) }, (_, i): Bone => {
    const at = add(
      [x, random.between(0.2, h), z + random.between(-0.25, 0.25)],
      right,
      random.between(-long / 2, long / 2),
    );
    return { ...bone(at, add(at, [0.1, 0.05, 0]), random.between(0.22, 0.45), leafy(green, i * 9.1)), ragged: 0.7 };
  });
  return { faces: [], bones, x, z, radius: long / 2 + 0.2 };
}

export function post({ x, z }: Spot, random: Random): Prop {
  const metal = matt(hsv(0.4, random.between(0, 0.3), random.between(0.15, 0.5)), 0.15);
  const h = random.between(3.5, 6);
  const lean = random.chance(0.5) ? 1 : -1;
  const bones = [
    bone([x, 0, z], [x, h, z], [0.09, 0.05], metal),
    bone([x, h, z], [x + lean * 0.9, h + 0.15, z], 0.04, metal),
  ];
  return {
    faces: [],
    bones: [
      ...bones,
      bone([x + lean * 0.7, h + 0.08, z], [x + lean * 1.1, h + 0.12, z], 0.09, matt([0.9, 0.9, 0.8], 0)),
    ],
    x,
    z,
    radius: 0.3,
  };
}

/** Bars between two points. */
export function fence(from: Vec, to: Vec, random: Random): Prop {
  const metal = matt(hsv(0.3, random.between(0, 0.4), random.between(0.08, 0.45)), 0.1);
  const h = random.between(0.9, 1.7);
  const length = Math.hypot(to[0] - from[0], to[2] - from[2]);
  const count = Math.min(60, Math.round(length / random.between(0.14, 0.3)));
  const at = (i: number, u: number): Vec => [
    from[0] + ((to[0] - from[0]) * i) / count,
    u,
    from[2] + ((to[2] - from[2]) * i) / count,
  ];
  const bones = Array.from({ length: count + 1 }, (_, i) => bone(at(i, 0), at(i, h), 0.014, metal));
  bones.push(
    bone(at(0, h * 0.95), at(count, h * 0.95), 0.022, metal),
    bone(at(0, h * 0.15), at(count, h * 0.15), 0.02, metal),
  );
  return { faces: [], bones, x: (from[0] + to[0]) / 2, z: (from[2] + to[2]) / 2, radius: 0.3 };
}

/** A solid hedge, low wall or board between two points. */
export function barrier(
  from: Vec,
  to: Vec,
  { height, paint }: { readonly height: number; readonly paint: FacePaint },
): Prop {
  const along: Vec = [to[0] - from[0], 0, to[2] - from[2]];
  const length = Math.hypot(along[0], along[2]);
  const yaw = Math.atan2(along[0], along[2]);
  const middle: Vec = [(from[0] + to[0]) / 2, 0, (from[2] + to[2]) / 2];
  return {
    faces: slabFaces({ base: middle, size: [0.2, height, length], yaw, paint }),
    bones: [],
    x: middle[0],
    z: middle[2],
    radius: 0.4,
  };
}
