/** Draws a scene at a moment: what stands still, people, then lens, weather and sensor; and says who is seen where. */
import { actorBones } from "./crowd.ts";
import { personSeen, type ScenePerson } from "./labels.ts";
import { drawBone } from "./raster/bones.ts";
import { type Camera, toCamera } from "./raster/camera.ts";
import { type Canvas, canvasMemory, copyCanvas, createCanvas, lightAt, MAX_OWNERS } from "./raster/canvas.ts";
import { drawFace, type Face } from "./raster/faces.ts";
import { type Exposure, expose } from "./raster/lens.ts";
import { countOwners } from "./raster/owners.ts";
import { develop } from "./raster/sensor.ts";
import { castShadows, contactShadow } from "./raster/shadows.ts";
import { drawSky } from "./raster/sky.ts";
import { drawCaption, drawRain } from "./raster/weather.ts";
import type { Scene } from "./scene.ts";

export interface SceneFrame {
  readonly width: number;
  readonly height: number;
  /** height x width x 3, before the camera's JPEG. */
  readonly rgb: Uint8Array;
  readonly people: readonly ScenePerson[];
}

/** Seconds since the scene's begin; `index` makes the frame's noise. */
export interface Moment {
  readonly seconds: number;
  readonly index: number;
}

let shared = canvasMemory(0);
let film: Exposure = { width: 0, height: 0, rgb: new Float32Array(0), owner: new Uint8Array(0) };

/** Nothing is kept on it between pictures, so one serves all. */
function exposureOf(width: number, height: number): Exposure {
  if (film.width !== width || film.height !== height) {
    film = { width, height, rgb: new Float32Array(width * height * 3), owner: new Uint8Array(width * height) };
  }
  return film;
}

/** The first picture of a scene. Scenes drawn one after the other share their canvas's memory. */
export function renderScene(scene: Scene): SceneFrame {
  const pixels = scene.canvasWidth * scene.canvasHeight;
  if (shared.near.length < pixels) shared = canvasMemory(pixels);
  const canvas = createCanvas(canvasOf(scene), shared);
  drawStill(scene, canvas);
  return drawMoment(scene, canvas, { seconds: 0, index: 0 });
}

/** The scene as a camera films it, at any moment. What stands still is drawn once; memory is two canvases. */
export function filmScene(scene: Scene): (moment: Moment) => SceneFrame {
  const still = createCanvas(canvasOf(scene));
  const canvas = createCanvas(canvasOf(scene));
  drawStill(scene, still);
  return (moment) => {
    copyCanvas(still, canvas);
    return drawMoment(scene, canvas, moment);
  };
}

function canvasOf({ camera, conditions, canvasWidth, canvasHeight }: Scene) {
  return { camera, light: conditions.light, width: canvasWidth, height: canvasHeight };
}

function drawStill({ faces, props, conditions }: Scene, canvas: Canvas): void {
  const all = [...faces, ...props.flatMap((prop) => prop.faces)];
  // The nearest first: what they hide costs a comparison of depths, and no paint.
  for (const face of nearestFirst(all, canvas.camera)) drawFace(canvas, face);
  drawSky(canvas, conditions.sky);
  for (const prop of props) contactShadow(canvas, [prop.x, 0, prop.z], prop.radius + 0.35, conditions.contact);
  castShadows(
    canvas,
    props.flatMap((prop) => prop.bones),
    conditions.shadows,
  );
  for (const prop of props) {
    const local = lightAt(canvas, [prop.x, 1, prop.z]);
    for (const bone of prop.bones) drawBone(canvas, bone, local);
  }
}

function nearestFirst(faces: readonly Face[], camera: Camera): Face[] {
  const middle = ({ points }: Face) => {
    const depths = points.map((point) => Math.max(0, toCamera(camera, point)[2]));
    return depths.reduce((sum, depth) => sum + depth, 0) / depths.length;
  };
  const sorted = faces.map((face) => ({ face, depth: face.ground ? Number.POSITIVE_INFINITY : middle(face) }));
  return sorted.sort((a, b) => a.depth - b.depth).map(({ face }) => face);
}

/** People onto a canvas that shows what stands still, and from the canvas to the picture. */
function drawMoment(scene: Scene, canvas: Canvas, { seconds, index }: Moment): SceneFrame {
  const { conditions, camera, width, height, seed } = scene;
  const actors = scene.actors.slice(0, MAX_OWNERS);
  const shown = actors.map((actor) => actorBones(actor, seconds, camera));
  castShadows(
    canvas,
    shown.flatMap(({ bones }) => bones),
    conditions.shadows,
  );
  for (const { foot } of shown) contactShadow(canvas, foot, 0.5, conditions.contact);
  shown.forEach(({ bones, foot }, i) => {
    const local = lightAt(canvas, [foot[0], 1.2, foot[2]]);
    for (const bone of bones) drawBone(canvas, bone, local, bone.carried ? 0 : i + 1);
  });
  const exposure = exposureOf(width, height);
  const onCanvas = countOwners(canvas, actors.length);
  expose(canvas, conditions.lens, exposure, scene.scale);
  const inPicture = countOwners(exposure, actors.length);
  const people = shown.flatMap(({ bones }, i) => {
    const seen = inPicture[i + 1];
    if (!seen || seen.pixels === 0) return [];
    const hidden = 1 - (onCanvas[i + 1]?.pixels ?? 0) / Math.max(1, canvas.covered[i + 1] ?? 0);
    return [personSeen(scene, { track: i, seen, occluded: Math.max(0, hidden), bones })];
  });
  if (conditions.rain) drawRain(exposure, conditions.rain, seed * 31 + index);
  const rgb = develop(exposure, conditions.sensor, seed * 131 + index);
  if (conditions.caption) drawCaption(rgb, width, captionOf(scene, seconds));
  return { width, height, rgb, people };
}

/** The camera's number and the time, as cameras write them. */
function captionOf({ seed, height }: Scene, seconds: number) {
  const now = ((seed * 7919) % 86_400) + seconds;
  const clock = [now / 3600, now / 60, now].map((n, i) => String(Math.floor(n) % (i === 0 ? 24 : 60)).padStart(2, "0"));
  const dot = Math.max(1, Math.round(height / 320));
  return { text: `CAM${(seed % 16) + 1} ${clock.join(":")}`, x: 6, y: seed % 3 === 0 ? height - 6 - 5 * dot : 6, dot };
}
