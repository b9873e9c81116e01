/** Frames to go by: every other one serves the choices, the rest tells the truth about what was chosen. */
import type { Model } from "../../onnx/ir/graph.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import type { Stream, TensorItem } from "../ports.ts";
import { feedsFor, feedsOf } from "../streams.ts";

/** They are held in memory. */
const MOST = 16;
/** Short texts say little each: more of them serve the choices, while they are small. */
const MOST_SMALL = 256;
const SMALL_BYTES = 2 ** 20;

/** One in so many tells the truth about what was chosen; of the others, one in so many decides between what the rest fitted. */
const JUDGES_EVERY = 4;
const DECIDES_EVERY = 2;

export interface HeldFrames {
  /** By which choices are made: those that tries learn from, and those that decide between the tries. */
  readonly choosing: readonly HostTensors[];
  readonly fitting: readonly HostTensors[];
  readonly deciding: readonly HostTensors[];
  readonly judging: readonly HostTensors[];
}

/** The first frames of the stream; one alone serves both ends. */
export async function holdFrames(tensors: Stream<TensorItem> | undefined, model: Model): Promise<HeldFrames> {
  if (!tensors) return allAlike([]);
  const feeds = feedsOf(model);
  const frames: HostTensors[] = [];
  let bytes = 0;
  for await (const item of tensors) {
    const frame = feedsFor(item, feeds);
    for (const { data } of Object.values(frame)) bytes += data.byteLength;
    frames.push(frame);
    if (frames.length >= (bytes <= SMALL_BYTES ? MOST_SMALL : MOST)) break;
  }
  return parted(frames);
}

function parted(frames: readonly HostTensors[]): HeldFrames {
  if (frames.length < 2) return allAlike(frames);
  const judges = Math.max(1, Math.floor(Math.min(MOST, frames.length) / JUDGES_EVERY));
  const [judging, choosing] = spread(frames, judges);
  const [deciding, fitting] = spread(choosing, Math.floor(choosing.length / DECIDES_EVERY));
  if (deciding.length === 0) return { choosing, fitting: choosing, deciding: choosing, judging };
  return { choosing, fitting, deciding, judging };
}

function allAlike(frames: readonly HostTensors[]): HeldFrames {
  return { choosing: frames, fitting: frames, deciding: frames, judging: frames };
}

/** `count` of them at even steps, and the rest. */
function spread<T>(list: readonly T[], count: number): [taken: readonly T[], rest: readonly T[]] {
  const isTaken = (i: number) => Math.floor(((i + 1) * count) / list.length) > Math.floor((i * count) / list.length);
  return [list.filter((_, i) => isTaken(i)), list.filter((_, i) => !isTaken(i))];
}
