/** Who is in a scene and where they go: alone or in groups, at distances that spread their heights in the picture. */

import { bodyBones, type Stand } from "./body.ts";
import { drawLook, type Look } from "./look.ts";
import type { Place } from "./places/place.ts";
import { inside } from "./places/place.ts";
import { drawGait, type Gait, poseAt, type Stance } from "./pose.ts";
import { matt, type Prop } from "./prop.ts";
import type { Random } from "./random.ts";
import type { Bone } from "./raster/bones.ts";
import { type Camera, project, type Vec } from "./raster/camera.ts";

export interface Actor {
  readonly look: Look;
  readonly gait: Gait;
  readonly start: Stand;
  /** Metres a second; 0 stands. */
  readonly speed: number;
  /** Walks this far, then back. */
  readonly path: number;
  readonly phase: number;
}

/** Picture size in pixels of the canvas's scale, its middle at the camera's centre. */
export interface View {
  readonly camera: Camera;
  readonly width: number;
  readonly height: number;
}

/** Share of the picture's height that a person takes: 16 and 300 of 416 pixels. */
export const SMALLEST = 16 / 416;
export const LARGEST = 300 / 416;

export interface Cast {
  readonly place: Place;
  readonly props: readonly Prop[];
  readonly view: View;
  readonly infrared: boolean;
  readonly raining: boolean;
}

export function drawCrowd(count: number, cast: Cast, random: Random): Actor[] {
  const actors: Actor[] = [];
  let tries = 0;
  while (actors.length < count && tries++ < count * 25) {
    const lead = drawSpot(cast, actors, random);
    if (!lead) continue;
    const members = Math.min(
      count - actors.length,
      random.weighted({ "1": 50, "2": 27, "3": 13, "4": 10 }) === "1" ? 1 : random.int(2, 4),
    );
    const stance = random.weighted<Stance>({
      walk: 66,
      run: 3,
      stand: 18,
      phone: 5,
      carry: 2,
      sit: 2,
      bend: 2,
      crouch: 1,
    });
    const heading = random.chance(0.5)
      ? random.pick([0, Math.PI] as const) + random.between(-0.5, 0.5)
      : random.between(-Math.PI, Math.PI);
    for (let i = 0; i < members; i++) {
      const together = i === 0 ? lead : near(lead, cast, actors, random);
      if (!together) continue;
      const facing =
        stance === "stand" && members > 1
          ? Math.atan2(lead.x - together.x, lead.z - together.z) + random.between(-0.6, 0.6)
          : heading + random.between(-0.15, 0.15);
      actors.push(
        actor(
          { ...together, heading: i === 0 && stance === "stand" ? random.between(-Math.PI, Math.PI) : facing },
          stance,
          cast,
          random,
        ),
      );
    }
  }
  return actors;
}

function actor(start: Stand, stance: Stance, { infrared, raining }: Cast, random: Random): Actor {
  const drawn = drawLook(random, infrared);
  const carried = raining && random.chance(0.25) ? "umbrella" : drawn.carried;
  const look: Look = {
    ...drawn,
    carried:
      stance === "carry"
        ? "box"
        : stance === "phone"
          ? "phone"
          : carried === "box" || carried === "phone"
            ? "nothing"
            : carried,
  };
  const still = stance === "stand" || stance === "sit" || stance === "bend" || stance === "crouch";
  return {
    look,
    gait: drawGait(random, look.carried === "umbrella" ? "phone" : stance),
    start,
    speed: still
      ? 0
      : stance === "run"
        ? random.between(2.2, 3.5)
        : random.between(0.8, 1.6) * Math.sqrt(look.height / 1.7),
    path: random.between(3, 9),
    phase: random.next(),
  };
}

type Point = Pick<Stand, "x" | "z">;

/** A free spot whose person's height in the picture is drawn, not left to the room's depth: small ones would be all. */
function drawSpot(cast: Cast, actors: readonly Actor[], random: Random): Point | undefined {
  const { view, place } = cast;
  const { camera } = view;
  for (let i = 0; i < 30; i++) {
    const wanted = SMALLEST * 1.12 * (LARGEST / SMALLEST / 1.15) ** (random.next() ** 0.6) * view.height;
    const depth = (camera.focal * 1.7) / wanted;
    const px = random.between(-0.02, 1.02) * view.width + camera.centreX - view.width / 2;
    const across = ((px - camera.centreX) / camera.focal) * depth;
    const { position, right, down, forward } = camera;
    const level = position[1] + forward[1] * depth + right[1] * across;
    const below = -level / down[1];
    const x = position[0] + forward[0] * depth + right[0] * across + down[0] * below;
    const z = position[2] + forward[2] * depth + right[2] * across + down[2] * below;
    if (!place.walks.some((walk) => inside(walk, x, z))) continue;
    if (fits({ x, z }, cast, actors)) return { x, z };
  }
  return undefined;
}

function near(lead: Point, cast: Cast, actors: readonly Actor[], random: Random): Point | undefined {
  for (let i = 0; i < 8; i++) {
    const angle = random.between(0, 2 * Math.PI);
    const far = random.between(0.45, 1.3);
    const point = { x: lead.x + far * Math.cos(angle), z: lead.z + far * Math.sin(angle) };
    if (cast.place.walks.some((walk) => inside(walk, point.x, point.z)) && fits(point, cast, actors)) return point;
  }
  return undefined;
}

function fits({ x, z }: Point, { view, props }: Cast, actors: readonly Actor[]): boolean {
  if (props.some((prop) => Math.hypot(prop.x - x, prop.z - z) < prop.radius + 0.25)) return false;
  if (actors.some(({ start }) => Math.hypot(start.x - x, start.z - z) < 0.42)) return false;
  const head = project(view.camera, [x, 1.7, z]);
  const foot = project(view.camera, [x, 0, z]);
  const chest = project(view.camera, [x, 1.25, z]);
  if (head[2] < 0.6 || foot[2] < 0.6) return false;
  const height = (foot[1] - head[1]) / view.height;
  const cx = (chest[0] - view.camera.centreX) / view.width;
  const cy = (chest[1] - view.camera.centreY) / view.height;
  return height > SMALLEST * 1.1 && height < LARGEST * 0.84 && Math.abs(cx) < 0.53 && Math.abs(cy) < 0.5;
}

/** Where an actor is and how they stand after `seconds`. */
export function actorBones(
  { look, gait, start, speed, path, phase }: Actor,
  seconds: number,
  camera: Camera,
): { readonly bones: Bone[]; readonly foot: Vec } {
  const walked = speed * seconds;
  const lap = walked % (2 * path);
  const back = lap > path;
  const along = back ? 2 * path - lap : lap;
  const stand: Stand = {
    x: start.x + Math.sin(start.heading) * along,
    z: start.z + Math.cos(start.heading) * along,
    heading: start.heading + (back ? Math.PI : 0),
  };
  // A cycle is two steps, each about 0.43 of the height.
  const cycles = walked / (0.86 * look.height);
  const bones = bodyBones(look, poseAt(gait, phase + cycles), stand, camera);
  if (gait.stance === "sit") bones.push(stool(stand, look.height));
  return { bones, foot: [stand.x, 0, stand.z] };
}

/** What a sitting person sits on. */
function stool({ x, z }: Stand, height: number): Bone {
  return {
    a: [x, 0.1, z],
    b: [x, height * 0.15, z],
    ra: 0.16,
    rb: 0.19,
    paint: matt([0.16, 0.11, 0.07], 0.3),
    carried: true,
  };
}
