/** The frames that a search goes by: half serves the choices, a quarter the fitting, a quarter tells the truth. */
import type { Model } from "../../onnx/ir/graph.ts";
import { type RunContext, UserError } from "../context.ts";
import type { Stream, TensorItem } from "../ports.ts";
import { feedsFor, feedsOf } from "../streams.ts";
import type { JudgedFrame } from "./judge.ts";

/** They are held in memory. */
const MOST_BYTES = 2 ** 29;
const MOST = 64;

export interface Frames {
  /** Ranges are taken from all. */
  readonly all: readonly JudgedFrame[];
  readonly choosing: readonly JudgedFrame[];
  readonly fitting: readonly JudgedFrame[];
  readonly judging: readonly JudgedFrame[];
}

export async function gatherFrames(ctx: RunContext, tensors: Stream<TensorItem>, model: Model): Promise<Frames> {
  const feeds = feedsOf(model);
  const all: JudgedFrame[] = [];
  let bytes = 0;
  for await (const item of tensors) {
    ctx.signal.throwIfAborted();
    const fed = feedsFor(item, feeds);
    bytes += Object.values(fed).reduce((sum, { data }) => sum + data.byteLength, 0);
    if (all.length > 0 && (all.length >= MOST || bytes > MOST_BYTES)) {
      ctx.log(`the first ${all.length} frames are used`);
      break;
    }
    all.push({ item, feeds: fed });
    ctx.progress(0, 100, "%", `${all.length} frames`);
  }
  if (all.length === 0) throw new UserError("no-frames", "no frame came to go by", "Wire images; 32 serve well.");
  if (all.length < 8) ctx.warn(`${all.length} frames are few to choose by: 32 serve well.`);
  if (all.length < 4) return { all, choosing: all, fitting: all, judging: all };
  const every = (...places: readonly number[]) => all.filter((_, i) => places.includes(i % 4));
  return { all, choosing: every(0, 2), fitting: every(1), judging: every(3) };
}
