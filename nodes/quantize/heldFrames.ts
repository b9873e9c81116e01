/** Frames to go by: every other one serves the choices, the rest tells the truth about what was chosen. */
import type { Model } from "../../onnx/ir/graph.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import type { Stream, TensorItem } from "../ports.ts";
import { feedsFor, feedsOf } from "../streams.ts";

/** They are held in memory. */
const MOST = 24;

export interface HeldFrames {
  readonly choosing: readonly HostTensors[];
  readonly judging: readonly HostTensors[];
}

/** The first frames of the stream; one alone serves both ends. */
export async function holdFrames(tensors: Stream<TensorItem> | undefined, model: Model): Promise<HeldFrames> {
  if (!tensors) return { choosing: [], judging: [] };
  const feeds = feedsOf(model);
  const frames: HostTensors[] = [];
  for await (const item of tensors) {
    frames.push(feedsFor(item, feeds));
    if (frames.length === MOST) break;
  }
  if (frames.length < 2) return { choosing: frames, judging: frames };
  return { choosing: frames.filter((_, i) => i % 2 === 0), judging: frames.filter((_, i) => i % 2 === 1) };
}
