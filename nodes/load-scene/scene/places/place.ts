/** What a place is: its fixed surfaces and things, where one may walk, where pictures may hang, and the camera's post. */
import { hsv } from "../colour.ts";
import { type Poster, type PosterKind, poster } from "../paints.ts";
import type { Prop } from "../prop.ts";
import { wall } from "../prop.ts";
import type { Random } from "../random.ts";
import { add, type Vec } from "../raster/camera.ts";
import type { Lamp } from "../raster/canvas.ts";
import type { Face } from "../raster/faces.ts";

export const PLACES = ["corridor", "shop", "yard", "street"] as const;
export type PlaceName = (typeof PLACES)[number];

/** x from, x to, z from, z to. */
export type Rect = readonly [number, number, number, number];

/** Part of a wall where something may hang: u runs `along` from `from`. */
export interface HangingPlace {
  readonly from: Vec;
  readonly along: Vec;
  readonly normal: Vec;
  readonly length: number;
}

export interface Place {
  readonly faces: readonly Face[];
  readonly props: readonly Prop[];
  readonly walks: readonly Rect[];
  readonly hangings: readonly HangingPlace[];
  /** Lamps that burn when it is dark. */
  readonly lamps: readonly Lamp[];
  readonly indoors: boolean;
  readonly camera: {
    readonly position: Vec;
    readonly yaw: number;
    readonly pitch: number;
    readonly fieldOfView: number;
  };
}

/** Hangs a picture a few centimetres before a wall. */
export function hangPicture(place: HangingPlace, random: Random): Face {
  const kind = random.weighted<PosterKind>({ landscape: 25, face: 25, text: 22, product: 18, sign: 10 });
  const width = random.between(0.4, 1.2);
  const height = width * random.between(0.7, 1.5);
  const of: Poster = {
    kind,
    width,
    height,
    ground: hsv(random.next(), random.between(0, 0.6), random.between(0.3, 0.95)),
    ink: hsv(random.next(), random.between(0.2, 0.9), random.between(0.15, 0.8)),
    seed: random.int(0, 1000),
  };
  const along = random.between(0, Math.max(0, place.length - width));
  const from = add(add(add(place.from, place.along, along), place.normal, 0.03), [0, 1, 0], random.between(0.9, 1.5));
  return wall({ from, along: place.along, length: width, height, normal: place.normal, paint: poster(of) });
}

export function inside(rect: Rect, x: number, z: number): boolean {
  return x >= rect[0] && x <= rect[1] && z >= rect[2] && z <= rect[3];
}
