/** One picture after the other, each as the camera's JPEG with its boxes: what a drawing thread does. */
import { encodeFrame } from "./encode.ts";
import type { ScenePerson } from "./labels.ts";
import { filmScene, type Moment, renderScene, type SceneFrame } from "./render.ts";
import { createScene, type Scene, type SceneOptions } from "./scene.ts";

export interface DrawJob {
  readonly scene: SceneOptions;
  /** Of a sequence; absent: the scene's one picture. */
  readonly moment?: Moment;
}

export interface DrawnPicture {
  readonly jpeg: Uint8Array;
  readonly people: readonly ScenePerson[];
}

/** Keeps what stands still between the moments of one scene. */
export function createDrawer(): (job: DrawJob) => Promise<DrawnPicture> {
  let film: { readonly of: string; readonly scene: Scene; readonly at: (moment: Moment) => SceneFrame } | undefined;
  const filmed = (options: SceneOptions) => {
    const of = JSON.stringify(options);
    if (film?.of === of) return film;
    const scene = createScene(options);
    film = { of, scene, at: filmScene(scene) };
    return film;
  };
  return async ({ scene: options, moment }) => {
    if (moment) {
      const { scene, at } = filmed(options);
      return compressed(scene, at(moment));
    }
    const scene = createScene(options);
    return compressed(scene, renderScene(scene));
  };
}

async function compressed({ conditions }: Scene, frame: SceneFrame): Promise<DrawnPicture> {
  return { jpeg: await encodeFrame(frame, conditions.jpegQuality), people: frame.people };
}
