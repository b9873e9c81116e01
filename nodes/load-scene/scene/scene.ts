/**
 * A scene from a seed: a place, its light and weather, people and things; and its pictures at any moment, with exact
 * boxes. Everything is synthetic: nobody in it exists.
 */
import { type Conditions, drawConditions, type LightName, type WeatherName } from "./conditions.ts";
import { type Actor, drawCrowd } from "./crowd.ts";
import { type DistractorKind, distractor } from "./distractors.ts";
import { corridor } from "./places/corridor.ts";
import { hangPicture, inside, type Place, type PlaceName } from "./places/place.ts";
import { shop } from "./places/shop.ts";
import { street } from "./places/street.ts";
import { yard } from "./places/yard.ts";
import type { Prop } from "./prop.ts";
import { Random } from "./random.ts";
import { type Camera, cameraFrom } from "./raster/camera.ts";
import type { Face } from "./raster/faces.ts";

export interface SceneOptions {
  readonly seed: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Left out: drawn from the seed. */
  readonly place?: PlaceName;
  readonly light?: LightName;
  readonly weather?: WeatherName;
  readonly people?: number;
}

export interface Scene {
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly placeName: PlaceName;
  readonly lightName: LightName;
  readonly weatherName: WeatherName;
  readonly place: Place;
  readonly conditions: Conditions;
  readonly camera: Camera;
  /** Canvas pixels a picture's pixel, and the canvas, which shows a margin for the lens to bend in. */
  readonly scale: number;
  readonly canvasWidth: number;
  readonly canvasHeight: number;
  readonly faces: readonly Face[];
  readonly props: readonly Prop[];
  readonly actors: readonly Actor[];
  readonly distractors: readonly DistractorKind[];
}

const SCALE = 1.5;
const MAKERS: Readonly<Record<PlaceName, (random: Random) => Place>> = { corridor, shop, yard, street };

export function createScene(options: SceneOptions): Scene {
  const { seed, width, height } = options;
  const random = new Random(seed, 1);
  const drawnPlace = random.weighted<PlaceName>({ corridor: 22, shop: 24, yard: 26, street: 28 });
  const drawnLight = random.weighted<LightName>({ day: 50, dusk: 15, night: 12, infrared: 23 });
  const drawnWeather = random.weighted<WeatherName>({ dry: 78, rain: 22 });
  const drawnCount = drawCount(random);
  const placeName = options.place ?? drawnPlace;
  const lightName = options.light ?? drawnLight;
  const weatherName = options.weather ?? drawnWeather;
  const count = options.people ?? drawnCount;
  const place = MAKERS[placeName](new Random(seed, 2));
  const conditions = drawConditions(place, lightName, weatherName, new Random(seed, 3));
  const margin = 1 + conditions.lens.k1 + conditions.lens.k2;
  const canvasWidth = Math.ceil(width * SCALE * margin);
  const canvasHeight = Math.ceil(height * SCALE * margin);
  const camera = aim(place, { ...options, canvasWidth, canvasHeight }, new Random(seed, 4));
  const view = { camera, width: width * SCALE, height: height * SCALE };
  const { faces, props, kinds } = dress(place, count === 0, new Random(seed, 5));
  const cast = { place, props, view, infrared: lightName === "infrared", raining: conditions.rain !== undefined };
  const actors = drawCrowd(count, cast, new Random(seed, 6));
  return {
    seed,
    width,
    height,
    placeName,
    lightName,
    weatherName,
    place,
    conditions,
    camera,
    scale: SCALE,
    canvasWidth,
    canvasHeight,
    faces,
    props,
    actors,
    distractors: kinds,
  };
}

/** About a quarter of the scenes are without people. */
function drawCount(random: Random): number {
  const kind = random.weighted({ none: 27, one: 20, few: 29, some: 18, many: 6 });
  const few = random.int(2, 3);
  const some = random.int(4, 7);
  const many = random.int(8, 15);
  return { none: 0, one: 1, few, some, many }[kind];
}

interface Aim {
  readonly width: number;
  readonly canvasWidth: number;
  readonly canvasHeight: number;
}

function aim({ camera }: Place, { width, canvasWidth, canvasHeight }: Aim, random: Random): Camera {
  // Some cameras hang at a door, at the height of a face.
  const low = random.chance(0.2);
  const [x, y, z] = camera.position;
  const rise = low ? random.between(1.2, 1.9) : y;
  return cameraFrom({
    ...camera,
    position: [x, rise, z],
    pitch: low ? random.between(-0.03, 0.16) : camera.pitch,
    roll: random.chance(0.5) ? 0 : random.between(-0.06, 0.06),
    focal: (width * SCALE) / (2 * Math.tan(camera.fieldOfView / 2)),
    width: canvasWidth,
    height: canvasHeight,
  });
}

/** Pictures on the walls, and things that stand about: always some where nobody is. */
function dress(
  place: Place,
  empty: boolean,
  random: Random,
): { faces: Face[]; props: Prop[]; kinds: DistractorKind[] } {
  const faces = [...place.faces];
  const props = [...place.props];
  const kinds: DistractorKind[] = [];
  const hangings = random.int(0, 4);
  for (let i = 0; i < hangings; i++) {
    const hanging = place.hangings[random.int(0, place.hangings.length - 1)];
    if (hanging && hanging.length > 0.6) faces.push(hangPicture(hanging, random));
  }
  const count = empty ? random.int(1, 5) : random.int(0, 3);
  for (let i = 0; i < count; i++) {
    const kind = random.weighted<DistractorKind>(
      place.indoors
        ? {
            bust: 10,
            obelisk: 3,
            coatRack: 15,
            torso: 10,
            dog: 8,
            cart: 14,
            bicycle: 2,
            cone: 5,
            bin: 8,
            plant: 12,
            sign: 8,
            sacks: 5,
          }
        : {
            bust: 8,
            obelisk: 7,
            coatRack: 3,
            torso: 2,
            dog: 18,
            cart: 9,
            bicycle: 14,
            cone: 10,
            bin: 10,
            plant: 7,
            sign: 5,
            sacks: 7,
          },
    );
    const spot = freeSpot(place, props, random);
    if (!spot) continue;
    kinds.push(kind);
    props.push(distractor(kind, { ...spot, yaw: random.between(-Math.PI, Math.PI) }, random));
  }
  return { faces, props, kinds };
}

function freeSpot(place: Place, props: readonly Prop[], random: Random): { x: number; z: number } | undefined {
  for (let i = 0; i < 20; i++) {
    const walk = place.walks[random.int(0, place.walks.length - 1)];
    if (!walk) return undefined;
    const x = random.between(walk[0], walk[1]);
    const z = walk[2] + (Math.min(walk[3], 22) - walk[2]) * random.next() ** 1.3;
    if (inside(walk, x, z) && props.every((prop) => Math.hypot(prop.x - x, prop.z - z) > prop.radius + 0.5))
      return { x, z };
  }
  return undefined;
}
