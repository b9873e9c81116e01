import type { RunContext } from "../context.ts";
import { implementNode } from "../define.ts";
import { decodeRgb, previewJpeg } from "../images.ts";
import type { Frame } from "../ports.ts";
import { streamOf, withTotal } from "../streams.ts";
import { drawScenes } from "./scene/drawScenes.ts";
import { createScene, type SceneOptions } from "./scene/scene.ts";
import { loadScene, type SceneParams } from "./schema.ts";

const PREVIEWS = 3;

export const run = implementNode(loadScene, async (ctx, _, params) => {
  const { placeName, lightName, weatherName, actors, distractors } = createScene(optionsOf(params));
  const report = await ctx.artifacts.report({
    kind: "scene",
    version: 1,
    provenance: "simulated",
    synthetic: true,
    seed: params.seed,
    place: placeName,
    light: lightName,
    weather: weatherName,
    people: actors.length,
    distractors,
    frames: params.frames,
    fps: params.fps,
  });
  return { frames: withTotal(filmed(ctx, params), params.frames), report };
});

function optionsOf({ seed, width, height, place, light, weather, people }: SceneParams): SceneOptions {
  return {
    seed,
    width,
    height,
    ...(place !== "any" && { place }),
    ...(light !== "any" && { light }),
    ...(weather !== "any" && { weather }),
    ...(people >= 0 && { people }),
  };
}

/** Frames as they come out of the camera's JPEG; three of them for the face. */
async function* filmed(ctx: RunContext, params: SceneParams): AsyncGenerator<Frame> {
  const { frames, fps } = params;
  const scene = optionsOf(params);
  const jobs = Array.from({ length: frames }, (_, index) => ({ scene, moment: { seconds: index / fps, index } }));
  const step = Math.max(1, Math.floor(frames / PREVIEWS));
  let index = 0;
  for await (const { jpeg } of drawScenes(streamOf(jobs), ctx)) {
    const picture = await decodeRgb(jpeg);
    if (index % step === 0 && index / step < PREVIEWS) await ctx.preview(await previewJpeg(picture), "image/jpeg");
    const id = `frame-${String(index).padStart(6, "0")}`;
    yield { id, index: index++, ...picture };
    ctx.progress(index, frames, "frames");
  }
}
