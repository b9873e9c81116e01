import { type RunContext, UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import type { ArtifactRef } from "../ports.ts";
import { mapStream } from "../streams.ts";
import { createDetector } from "./detect.ts";
import { type NmsParams, nms, settingsForNms } from "./schema.ts";

export const run = implementNode(nms, async (ctx, { tensors, settings }, params) => {
  const detect = createDetector(settings ? await settled(ctx, settings, params) : params);
  const detections = mapStream(tensors, (item, index) => {
    ctx.signal.throwIfAborted();
    const found = detect(item);
    ctx.progress(index + 1, tensors.total, "images");
    return found;
  });
  return { detections };
});

/** What is set here wins; the model's word stands where it says "auto", or names no classes. */
async function settled(ctx: RunContext, ref: ArtifactRef<"settings">, params: NmsParams): Promise<NmsParams> {
  const parsed = settingsForNms.safeParse(await ctx.artifacts.readJson(ref));
  if (!parsed.success) {
    throw new UserError("bad-settings", "The wired settings are not those of a model.", "Wire load-model's settings.");
  }
  const { decoder = "auto", classes = "" } = parsed.data.nms ?? {};
  return {
    ...params,
    decoder: params.decoder === "auto" ? decoder : params.decoder,
    classes: params.classes === "" ? classes : params.classes,
  };
}
