/** Things that are not people and might be taken for some: statues, coats on racks, dogs, carts, mannequin torsos. */
import { hex, hsv } from "./colour.ts";
import { plain } from "./paints.ts";
import { axesOf, bone, matt, type Prop, slabFaces } from "./prop.ts";
import type { Random } from "./random.ts";
import type { Bone, BonePaint } from "./raster/bones.ts";
import { add, type Vec } from "./raster/camera.ts";
import { smooth } from "./raster/noise.ts";

export type DistractorKind =
  | "bust"
  | "obelisk"
  | "coatRack"
  | "torso"
  | "dog"
  | "cart"
  | "bicycle"
  | "cone"
  | "bin"
  | "plant"
  | "sign"
  | "sacks";

export interface Spot {
  readonly x: number;
  readonly z: number;
  readonly yaw: number;
}

const UP: Vec = [0, 1, 0];

export function distractor(kind: DistractorKind, spot: Spot, random: Random): Prop {
  return MAKERS[kind](spot, random);
}

type Maker = (spot: Spot, random: Random) => Prop;

const MAKERS: Readonly<Record<DistractorKind, Maker>> = {
  bust: ({ x, z, yaw }, random) => {
    const { right, forward } = axesOf(yaw);
    const rgb = random.chance(0.6)
      ? hsv(0.1, 0.06, random.between(0.55, 0.9))
      : hsv(0.25, 0.35, random.between(0.2, 0.4));
    const paint = matt(rgb, 0.5, random.between(0, 99));
    const h = random.between(1.0, 1.35);
    const at = (r: number, u: number, f: number): Vec => add(add([x, h + u, z], right, r), forward, f);
    const bones: Bone[] = [
      bone(at(-0.1, 0.18, 0), at(0.1, 0.18, 0), 0.1, paint),
      bone(at(0, 0, 0), at(0, 0.16, 0), [0.09, 0.13], paint),
      bone(at(0, 0.22, 0), at(0, 0.36, 0), [0.075, 0.06], paint),
      bone(at(0, 0.4, 0.01), at(0, 0.49, 0), [0.08, 0.105], paint),
    ];
    const stone = plain(rgb, 0.5, 0.2);
    const faces = [
      ...slabFaces({ base: [x, 0, z], size: [0.6, 0.12, 0.6], yaw, paint: stone }),
      ...slabFaces({ base: [x, 0.12, z], size: [0.42, h - 0.12, 0.42], yaw, paint: stone }),
    ];
    return { faces, bones, x, z, radius: 0.5 };
  },
  obelisk: ({ x, z, yaw }, random) => {
    const stone = plain(hsv(0.09, 0.12, random.between(0.35, 0.75)), 0.5, 0.2);
    const h = random.between(1, 2.4);
    const paint = matt(hsv(0.09, 0.12, 0.6), 0.4);
    const faces = [
      ...slabFaces({ base: [x, 0, z], size: [0.7, 0.2, 0.7], yaw, paint: stone }),
      ...slabFaces({ base: [x, 0.2, z], size: [0.34, h, 0.34], yaw, paint: stone }),
    ];
    return { faces, bones: [bone([x, h + 0.36, z], [x, h + 0.36, z], 0.2, paint)], x, z, radius: 0.5 };
  },
  coatRack: ({ x, z, yaw }, random) => {
    const pole = matt(hsv(0.08, 0.3, random.between(0.12, 0.4)), 0.1);
    const bones: Bone[] = [bone([x, 0, z], [x, 1.78, z], 0.022, pole)];
    for (let i = 0; i < 4; i++) {
      const { forward } = axesOf(yaw + (i * Math.PI) / 2);
      bones.push(bone([x, 0.1, z], add([x, 0.02, z], forward, 0.28), 0.02, pole));
      const hook = add([x, 1.66, z], forward, 0.16);
      bones.push(bone([x, 1.6, z], hook, 0.014, pole));
      if (i === 0 || random.chance(0.6)) bones.push(...hungCoat(add(hook, UP, -0.04), yaw + (i * Math.PI) / 2, random));
    }
    return { faces: [], bones, x, z, radius: 0.45 };
  },
  torso: ({ x, z, yaw }, random) => {
    const { right } = axesOf(yaw);
    const h = random.between(0.95, 1.1);
    const paint = fabric(random);
    const pole = matt([0.12, 0.12, 0.12]);
    const at = (r: number, u: number): Vec => add([x, h + u, z], right, r);
    const bones = [
      bone([x, 0, z], [x, h, z], 0.025, pole),
      bone([x, 0.02, z], add([x, 0.02, z], right, 0.01), 0.17, pole),
      bone(at(-0.06, 0), at(-0.09, 0.45), 0.1, paint),
      bone(at(0.06, 0), at(0.09, 0.45), 0.1, paint),
      bone(at(-0.15, 0.46), at(0.15, 0.46), 0.07, paint),
      bone(at(0, 0.5), at(0, 0.56), 0.05, pole),
    ];
    return { faces: [], bones, x, z, radius: 0.4 };
  },
  dog: ({ x, z, yaw }, random) => {
    const { right, forward } = axesOf(yaw);
    const s = random.between(0.6, 1.2);
    const rgb = hex(random.pick(["#2b2320", "#6b4a2f", "#b58f5f", "#d8cfc0", "#8b8680", "#1b1b1d"]));
    const paint = matt(rgb, 0.6, random.between(0, 99));
    const at = (f: number, u: number, r: number): Vec => add(add([x, u * s, z], forward, f * s), right, r * s);
    const phase = random.next() * 6;
    const leg = (f: number, r: number, turn: number): Bone[] => {
      const swing = 0.1 * Math.sin(phase + turn);
      return [
        bone(at(f, 0.42, r), at(f + swing, 0.2, r), [0.07 * s, 0.035 * s], paint),
        bone(at(f + swing, 0.2, r), at(f + swing * 1.6, 0.03, r), 0.028 * s, paint),
      ];
    };
    const bones = [
      bone(at(-0.3, 0.48, 0), at(0.26, 0.5, 0), [0.12 * s, 0.145 * s], paint),
      bone(at(0.3, 0.55, 0), at(0.46, 0.72, 0), [0.1 * s, 0.075 * s], paint),
      bone(at(0.47, 0.74, 0), at(0.68, 0.69, 0), [0.09 * s, 0.04 * s], paint),
      bone(at(0.44, 0.82, 0.06), at(0.42, 0.74, 0.09), 0.03 * s, paint),
      bone(at(0.44, 0.82, -0.06), at(0.42, 0.74, -0.09), 0.03 * s, paint),
      bone(at(-0.38, 0.54, 0), at(-0.62, 0.74, 0.03), [0.035 * s, 0.018 * s], paint),
      ...leg(0.22, 0.09, 0),
      ...leg(0.22, -0.09, 3),
      ...leg(-0.28, 0.09, 3.4),
      ...leg(-0.28, -0.09, 0.4),
    ];
    return { faces: [], bones, x, z, radius: 0.6 };
  },
  cart: ({ x, z, yaw }, random) => {
    const { right, forward } = axesOf(yaw);
    const metal = matt([0.5, 0.5, 0.52], 0.2);
    const at = (r: number, u: number, f: number): Vec => add(add([x, u, z], right, r), forward, f);
    const bones: Bone[] = [];
    for (const r of [-0.27, 0.27]) {
      bones.push(
        bone(at(r, 0.95, -0.5), at(r, 0.9, 0.45), 0.014, metal),
        bone(at(r * 0.8, 0.5, -0.42), at(r * 0.8, 0.55, 0.38), 0.012, metal),
      );
      bones.push(
        bone(at(r, 0.15, -0.4), at(r, 0.95, -0.5), 0.014, metal),
        bone(at(r, 0.12, -0.4), at(r, 0.12, 0.4), 0.014, metal),
      );
      for (const f of [-0.38, 0.38]) bones.push(bone(at(r, 0.06, f), at(r, 0.06, f), 0.06, matt([0.04, 0.04, 0.04])));
      for (let i = 0; i < 7; i++) {
        const f = -0.42 + i * 0.135;
        bones.push(bone(at(r * 0.82, 0.52, f), at(r, 0.92, f * 1.1), 0.007, metal));
      }
    }
    bones.push(bone(at(-0.27, 1, -0.52), at(0.27, 1, -0.52), 0.02, matt(hsv(random.next(), 0.8, 0.6))));
    for (let i = 0; i < random.int(0, 5); i++) {
      const spot = at(random.between(-0.13, 0.13), random.between(0.6, 0.75), random.between(-0.3, 0.3));
      bones.push(bone(spot, add(spot, UP, 0.1), 0.1, fabric(random)));
    }
    return { faces: [], bones, x, z, radius: 0.7 };
  },
  bicycle: ({ x, z, yaw }, random) => {
    const { forward } = axesOf(yaw);
    const black = matt([0.03, 0.03, 0.03]);
    const frame = matt(hsv(random.next(), random.between(0, 0.9), random.between(0.1, 0.8)));
    const at = (u: number, f: number): Vec => add([x, u, z], forward, f);
    const bones: Bone[] = [];
    for (const hub of [-0.5, 0.5]) {
      for (let i = 0; i < 14; i++) {
        const [a, b] = [(i * Math.PI) / 7, ((i + 1) * Math.PI) / 7];
        const rim = (angle: number) => at(0.34 + 0.33 * Math.sin(angle), hub + 0.33 * Math.cos(angle));
        bones.push(bone(rim(a), rim(b), 0.02, black));
      }
    }
    for (const [u0, f0, u1, f1] of [
      [0.34, -0.5, 0.32, -0.08],
      [0.34, -0.5, 0.85, -0.2],
      [0.32, -0.08, 0.9, -0.22],
      [0.82, -0.2, 0.85, 0.36],
      [0.32, -0.08, 0.78, 0.36],
      [0.34, 0.5, 1.0, 0.32],
    ] as const) {
      bones.push(bone(at(u0, f0), at(u1, f1), 0.018, frame));
    }
    bones.push(bone(at(0.93, -0.3), at(0.93, -0.12), 0.045, black));
    const { right } = axesOf(yaw);
    bones.push(bone(add(at(1.02, 0.32), right, -0.25), add(at(1.02, 0.32), right, 0.25), 0.016, black));
    return { faces: [], bones, x, z, radius: 0.6 };
  },
  cone: ({ x, z }, random) => {
    const orange: BonePaint = ({ t }, out) => {
      const white = t > 0.35 && t < 0.6;
      out[0] = 0.75;
      out[1] = white ? 0.75 : 0.13;
      out[2] = white ? 0.75 : 0.02;
    };
    const h = random.between(0.45, 0.8);
    return {
      faces: slabFaces({ base: [x, 0, z], size: [0.4, 0.04, 0.4], yaw: 0, paint: plain([0.5, 0.1, 0.02]) }),
      bones: [bone([x, 0.06, z], [x, h, z], [0.15, 0.025], orange)],
      x,
      z,
      radius: 0.3,
    };
  },
  bin: ({ x, z, yaw }, random) => {
    const rgb = hex(random.pick(["#2e3a33", "#22406b", "#3c3c3e", "#6b5a22", "#1d1d20"]));
    const h = random.between(0.85, 1.15);
    const faces = [
      ...slabFaces({ base: [x, 0.06, z], size: [0.56, h, 0.66], yaw, paint: plain(rgb, 0.3, 0.1) }),
      ...slabFaces({ base: [x, h + 0.06, z], size: [0.6, 0.06, 0.72], yaw, paint: plain(rgb, 0.2, 0.1) }),
    ];
    return { faces, bones: [], x, z, radius: 0.55 };
  },
  plant: ({ x, z }, random) => {
    const green = hsv(random.between(0.24, 0.36), random.between(0.4, 0.7), random.between(0.25, 0.5));
    const pot = matt(hsv(0.05, random.between(0, 0.6), random.between(0.2, 0.7)), 0.2);
    const h = random.between(0.7, 1.5);
    const bones: Bone[] = [bone([x, 0.12, z], [x, 0.35, z], [0.16, 0.2], pot)];
    for (let i = 0; i < 16; i++) {
      const angle = random.between(0, 2 * Math.PI);
      const rise = random.between(0.4, 1) * h;
      const out = random.between(0.1, 0.38);
      const tip: Vec = [x + out * Math.cos(angle), 0.4 + rise, z + out * Math.sin(angle)];
      bones.push(bone([x, 0.4 + rise * 0.3, z], tip, [0.012, 0.06], matt(green, 0.9, i * 7)));
    }
    return { faces: [], bones, x, z, radius: 0.4 };
  },
  sign: ({ x, z, yaw }, random) => {
    const yellow = plain(hsv(random.pick([0.14, 0.0, 0.58]), 0.85, 0.9), 0.1, 0);
    const faces = slabFaces({ base: [x, 0.02, z], size: [0.45, random.between(0.6, 1.1), 0.14], yaw, paint: yellow });
    return { faces, bones: [], x, z, radius: 0.35 };
  },
  sacks: ({ x, z }, random) => {
    const dark = random.chance(0.6) ? matt([0.03, 0.03, 0.035], 0.8, 3) : matt(hsv(0.09, 0.3, 0.5), 0.6, 9);
    const bones = Array.from({ length: random.int(1, 4) }, (_, i): Bone => {
      const at: Vec = [x + random.between(-0.4, 0.4), 0.22, z + random.between(-0.3, 0.3)];
      return bone(at, add(at, UP, random.between(0.1, 0.35) + 0.05 * i), [0.26, 0.1], dark);
    });
    return { faces: [], bones, x, z, radius: 0.6 };
  },
};

/** A coat on a hook: shoulders, sleeves and skirts, and nobody in it. */
function hungCoat(hook: Vec, yaw: number, random: Random): Bone[] {
  const { right } = axesOf(yaw);
  const paint = fabric(random);
  const at = (r: number, u: number): Vec => add([hook[0], hook[1] + u, hook[2]], right, r);
  const long = random.between(0.55, 0.95);
  return [
    bone(at(-0.12, -0.1), at(0, -0.02), [0.06, 0.03], paint),
    bone(at(0.12, -0.1), at(0, -0.02), [0.06, 0.03], paint),
    bone(at(0, -0.1), at(0, -long), [0.11, 0.14], paint),
    bone(at(-0.15, -0.14), at(-0.17, -0.62), [0.05, 0.045], paint),
    bone(at(0.15, -0.14), at(0.17, -0.62), [0.05, 0.045], paint),
  ];
}

function fabric(random: Random): BonePaint {
  const rgb = hsv(random.next(), random.between(0, 0.7), random.between(0.08, 0.8));
  const seed = random.between(0, 200);
  return ({ t, nx, ny }, out) => {
    const k = 0.65 + 0.6 * smooth(nx * 8 + seed, t * 5 + ny * 3);
    out[0] = rgb[0] * k;
    out[1] = rgb[1] * k;
    out[2] = rgb[2] * k;
  };
}
