/** Frames to go by: most serve the choices, the rest tells the truth about what was chosen. */
import type { Model } from "../../onnx/ir/graph.ts";
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import { type MeasuringContext, OutputReference } from "../../onnx/passes/quantize/outputReference.ts";
import type { Stream, TensorItem } from "../ports.ts";
import { feedsFor, feedsOf } from "../streams.ts";

/** They are held in memory: so many at most, more while they are small. */
const MOST = 16;
const MOST_MEDIUM = 32;
const MEDIUM_BYTES = 2 ** 26;
/** Short texts say little each. */
const MOST_SMALL = 256;
const SMALL_BYTES = 2 ** 20;

/** One in so many tells the truth about what was chosen. */
const JUDGES_EVERY = 4;
const MOST_JUDGES = 4;
/** Of the others half decide, and as many are learned from; fewer where they are large, since each try runs them all. */
const DECIDES_EVERY = 2;
const DECIDING_BYTES = 2 ** 24;

export interface HeldFrames {
  /** By which choices are made. */
  readonly choosing: readonly HostTensors[];
  readonly judging: readonly HostTensors[];
}

/** The first frames of the stream; one alone serves both ends. */
export async function holdFrames(tensors: Stream<TensorItem> | undefined, model: Model): Promise<HeldFrames> {
  const frames: HostTensors[] = [];
  if (!tensors) return { choosing: frames, judging: frames };
  const feeds = feedsOf(model);
  let bytes = 0;
  for await (const item of tensors) {
    const frame = feedsFor(item, feeds);
    bytes += bytesOf(frame);
    frames.push(frame);
    if (frames.length >= (bytes <= SMALL_BYTES ? MOST_SMALL : bytes <= MEDIUM_BYTES ? MOST_MEDIUM : MOST)) break;
  }
  if (frames.length < 2) return { choosing: frames, judging: frames };
  const judges = Math.max(1, Math.min(MOST_JUDGES, Math.floor(frames.length / JUDGES_EVERY)));
  const [judging, choosing] = spread(frames, judges);
  return { choosing, judging };
}

export interface PartedFrames {
  /** What decides: the float model's outputs on frames that say most. */
  readonly reference: OutputReference;
  /** What tries learn from; with one frame alone it is the one that decides. */
  readonly fitting: readonly HostTensors[];
}

export async function partFrames(
  float: Model,
  frames: readonly HostTensors[],
  ctx: MeasuringContext,
): Promise<PartedFrames> {
  const largest = Math.max(...frames.map(bytesOf));
  const half = Math.floor(frames.length / DECIDES_EVERY);
  const count = Math.max(1, Math.min(half, Math.floor(DECIDING_BYTES / largest)));
  const { reference, others } = (await OutputReference.of(float, frames, ctx)).telling(count);
  return { reference, fitting: others.length > 0 ? spread(others, Math.min(count, others.length))[0] : frames };
}

function bytesOf(frame: HostTensors): number {
  return Object.values(frame).reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** `count` of them at even steps, and the rest. */
function spread<T>(list: readonly T[], count: number): [taken: readonly T[], rest: readonly T[]] {
  const isTaken = (i: number) => Math.floor(((i + 1) * count) / list.length) > Math.floor((i * count) / list.length);
  return [list.filter((_, i) => isTaken(i)), list.filter((_, i) => !isTaken(i))];
}
