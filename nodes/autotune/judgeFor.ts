/** The judge that the wires allow: labels where there are some, a detector's own boxes, or none but the outputs' noise. */
import type { Judge } from "../../onnx/passes/place/judge.ts";
import { type RunContext, UserError } from "../context.ts";
import { framesFromImages, readImagesIndex } from "../images.ts";
import type { ArtifactRef } from "../ports.ts";
import { createPreprocessor } from "../preprocess/pictureToTensor.ts";
import { preprocessSettings } from "../preprocess/schema.ts";
import { feedsFor, feedsOf } from "../streams.ts";
import { expectedJudge, type JudgedFrame, labelJudge } from "./judge.ts";

export interface JudgedBy {
  readonly model: ArtifactRef<"model">;
  readonly frames: readonly JudgedFrame[];
  readonly settings: ArtifactRef<"settings"> | undefined;
  readonly images: ArtifactRef<"images"> | undefined;
}

/** Labelled images above this are left out: they are judged again and again. */
const MOST_IMAGES = 256;

export async function judgeFor(
  ctx: RunContext,
  by: JudgedBy,
): Promise<{ readonly judge: Judge | undefined; readonly warnings: readonly string[] }> {
  const index = by.images && (await readImagesIndex(ctx, by.images));
  if (by.images && index?.images.some(({ labels }) => labels)) {
    return { judge: labelJudge(await labelledFrames(ctx, { ...by, images: by.images }), index), warnings: [] };
  }
  const unlabelled = index ? ["The wired images have no labels: losses are estimated without."] : [];
  await using session = await ctx.runner.open(by.model);
  const pictures = by.frames.every(({ item }) => item.transform);
  const judge = pictures ? await expectedJudge(by.frames, (feeds) => session.run(feeds)) : undefined;
  return { judge, warnings: unlabelled };
}

async function labelledFrames(
  ctx: RunContext,
  { model, settings, images }: JudgedBy & { readonly images: ArtifactRef<"images"> },
): Promise<readonly JudgedFrame[]> {
  if (!settings) {
    throw new UserError(
      "no-settings",
      "labelled images are wired, but not how they are prepared for the network",
      "Wire the settings of the preprocess into settings.",
    );
  }
  const parsed = preprocessSettings.safeParse(await ctx.artifacts.readJson(settings));
  if (!parsed.success) {
    const message = "the wired settings are not those of a preprocess";
    throw new UserError("bad-settings", message, "Wire the settings output of the preprocess that makes the tensors.");
  }
  const convert = createPreprocessor(parsed.data);
  const feeds = feedsOf(await ctx.artifacts.openModel(model));
  const frames: JudgedFrame[] = [];
  for await (const { id, index, width, height, rgb } of await framesFromImages(ctx, images)) {
    ctx.signal.throwIfAborted();
    const { tensor, transform } = convert({ width, height, rgb });
    const item = { frame: { id, index, width, height }, transform, tensors: { "": tensor } };
    frames.push({ item, feeds: feedsFor(item, feeds) });
    if (frames.length < MOST_IMAGES) continue;
    ctx.log(`the first ${MOST_IMAGES} labelled images are used`);
    break;
  }
  return frames;
}
