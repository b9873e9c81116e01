import { implementNode } from "../define.ts";
import { mapStream } from "../streams.ts";
import { createDetector } from "./detect.ts";
import { nms } from "./schema.ts";
import { settled } from "./settled.ts";

export const run = implementNode(nms, async (ctx, { tensors, settings }, params) => {
  const detect = createDetector(settings ? settled(params, await ctx.artifacts.readJson(settings)) : params);
  const detections = mapStream(tensors, (item, index) => {
    ctx.signal.throwIfAborted();
    const found = detect(item);
    ctx.progress(index + 1, tensors.total, "images");
    return found;
  });
  return { detections };
});
