/** Draws a scene at a moment: what stands still once, people each time; then lens, weather and sensor; and the boxes. */
import { actorBones } from "./crowd.ts";
import { type Bone, drawBone } from "./raster/bones.ts";
import { project, type Vec } from "./raster/camera.ts";
import { type Canvas, copyCanvas, createCanvas, lightAt, MAX_OWNERS } from "./raster/canvas.ts";
import { drawFace } from "./raster/faces.ts";
import { type Exposure, expose } from "./raster/lens.ts";
import { countOwners, type Seen } from "./raster/owners.ts";
import { develop } from "./raster/sensor.ts";
import { castShadows, contactShadow } from "./raster/shadows.ts";
import { drawSky } from "./raster/sky.ts";
import { drawCaption, drawRain } from "./raster/weather.ts";
import type { Scene } from "./scene.ts";

export interface ScenePerson {
  /** The same person has the same number in every picture of a scene. */
  readonly track: number;
  /** x, y of the top-left corner, width, height of what is seen of them; pixels. */
  readonly box: readonly [number, number, number, number];
  /** Share of the body that is seen, 0..1: the rest is hidden by something or outside the picture. */
  readonly visible: number;
  /** Share of the body's part inside the picture that something hides, 0..1. */
  readonly occluded: number;
  /** Too little is seen to ask for: less than 15 % of the body, or fewer than 12 pixels in height. */
  readonly ignored: boolean;
}

export interface SceneFrame {
  readonly width: number;
  readonly height: number;
  /** height x width x 3, before the camera's JPEG. */
  readonly rgb: Uint8Array;
  readonly people: readonly ScenePerson[];
}

/** Less of a body than this is no fair question. */
const LEAST_VISIBLE = 0.15;
const LEAST_HEIGHT = 12 / 416;

/** One scene's pictures; what stands still is drawn when it is made. Memory is a few canvases, however many frames. */
export class SceneRenderer {
  readonly #still: Canvas;
  readonly #canvas: Canvas;
  readonly #exposure: Exposure;

  constructor(private readonly scene: Scene) {
    const { camera, conditions, canvasWidth, canvasHeight, width, height } = scene;
    const of = { camera, light: conditions.light };
    this.#still = createCanvas(canvasWidth, canvasHeight, of);
    this.#canvas = createCanvas(canvasWidth, canvasHeight, of);
    this.#exposure = { width, height, rgb: new Float32Array(width * height * 3), owner: new Uint8Array(width * height) };
    this.#drawStill();
  }

  #drawStill(): void {
    const { faces, props, conditions } = this.scene;
    const canvas = this.#still;
    drawSky(canvas, conditions.sky);
    for (const face of faces) drawFace(canvas, face);
    for (const prop of props) contactShadow(canvas, [prop.x, 0, prop.z], prop.radius + 0.35, conditions.contact);
    for (const prop of props) for (const face of prop.faces) drawFace(canvas, face);
    castShadows(canvas, props.flatMap((prop) => prop.bones), conditions.shadows);
    for (const prop of props) {
      const local = lightAt(canvas, [prop.x, 1, prop.z]);
      for (const bone of prop.bones) drawBone(canvas, bone, local);
    }
  }

  /** The picture after `seconds`; `index` makes its noise. */
  frame(seconds: number, index: number): SceneFrame {
    const { scene } = this;
    const { conditions, camera, actors, width, height, seed } = scene;
    const canvas = this.#canvas;
    copyCanvas(this.#still, canvas);
    const shown = actors.slice(0, MAX_OWNERS).map((actor) => actorBones(actor, seconds, camera));
    castShadows(canvas, shown.flatMap(({ bones }) => bones), conditions.shadows);
    for (const { foot } of shown) contactShadow(canvas, foot, 0.5, conditions.contact);
    shown.forEach(({ bones, foot }, i) => {
      const local = lightAt(canvas, [foot[0], 1.2, foot[2]]);
      for (const bone of bones) drawBone(canvas, bone, local, bone.carried ? 0 : i + 1);
    });
    const onCanvas = countOwners(canvas, actors.length);
    expose(canvas, conditions.lens, this.#exposure, scene.scale);
    const inPicture = countOwners(this.#exposure, actors.length);
    const people = shown.flatMap(({ bones }, i) => {
      const seen = inPicture[i + 1];
      const drawn = onCanvas[i + 1];
      if (!seen || !drawn || seen.pixels === 0) return [];
      const inside = this.#insideShare(bones);
      const covered = Math.max(1, canvas.covered[i + 1] ?? 0);
      return [this.#person(i, seen, { occluded: Math.max(0, 1 - drawn.pixels / covered), inside })];
    });
    if (conditions.rain) drawRain(this.#exposure, conditions.rain, seed * 31 + index);
    const rgb = develop(this.#exposure, conditions.sensor, seed * 131 + index);
    if (conditions.caption) drawCaption(rgb, width, this.#caption(seconds, height));
    return { width, height, rgb, people };
  }

  #person(track: number, seen: Seen, { occluded, inside }: { readonly occluded: number; readonly inside: number }): ScenePerson {
    const box = [seen.left, seen.top, seen.right - seen.left + 1, seen.bottom - seen.top + 1] as const;
    const visible = (1 - occluded) * inside;
    return { track, box, visible, occluded, ignored: visible < LEAST_VISIBLE || box[3] < LEAST_HEIGHT * this.scene.height };
  }

  /** How much of the body's outline box lies inside the picture. */
  #insideShare(bones: readonly Bone[]): number {
    const { camera, width, height, scale, conditions } = this.scene;
    const { k1, k2 } = conditions.lens;
    // The lens shows a little more than the straight picture: at the middle of an edge, by this much.
    const reach = (half: number) => {
      const r = (half * half) / ((width * width + height * height) / 4);
      return half * (1 + r * (k1 + r * k2)) * scale;
    };
    const [halfX, halfY] = [reach(width / 2), reach(height / 2)];
    let [left, right, top, bottom] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const include = (point: Vec, radius: number) => {
      const [x, y, z] = project(camera, point);
      if (z < 0.15) return;
      const r = (camera.focal * radius) / z;
      left = Math.min(left, x - r);
      right = Math.max(right, x + r);
      top = Math.min(top, y - r);
      bottom = Math.max(bottom, y + r);
    };
    for (const bone of bones) {
      if (bone.carried) continue;
      include(bone.a, bone.ra);
      include(bone.b, bone.rb);
    }
    const share = (low: number, high: number, centre: number, half: number) =>
      Math.max(0, Math.min(high, centre + half) - Math.max(low, centre - half)) / Math.max(1e-6, high - low);
    return share(left, right, camera.centreX, halfX) * share(top, bottom, camera.centreY, halfY);
  }

  #caption(seconds: number, height: number) {
    const { seed } = this.scene;
    const two = (n: number) => String(Math.floor(n) % 60).padStart(2, "0");
    const start = (seed * 7919) % 86_400;
    const now = start + seconds;
    const clock = `${String(Math.floor(now / 3600) % 24).padStart(2, "0")}:${two(now / 60)}:${two(now)}`;
    const dot = Math.max(1, Math.round(height / 320));
    const low = seed % 3 === 0;
    return { text: `CAM${(seed % 16) + 1} ${clock}`, x: 6, y: low ? height - 6 - 5 * dot : 6, dot };
  }
}

