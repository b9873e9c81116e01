/** Means over the last frames: a single frame's times jump, and nobody can read figures that change with each. Pure. */
import { STAGES, type StageTimes } from "./messages.ts";

export interface LiveFigures {
  readonly times: StageTimes;
  readonly framesPerSecond: number;
  /** Frames that the means are over. */
  readonly frames: number;
}

const FRAMES = 30;
/** The first frames meet cold code and would mislead. */
const WARMUP = 3;
const SHOW_EVERY_MS = 300;

/** `add` gives new figures a few times a second, else undefined. Times in milliseconds. */
export function rollingFigures() {
  const last: { readonly times: StageTimes; readonly atMs: number }[] = [];
  let seen = 0;
  let shownAtMs = Number.NEGATIVE_INFINITY;
  return {
    add(times: StageTimes, atMs: number): LiveFigures | undefined {
      if (seen++ < WARMUP) return undefined;
      last.push({ times, atMs });
      if (last.length > FRAMES) last.shift();
      const [first] = last;
      if (!first || last.length < 2 || atMs - shownAtMs < SHOW_EVERY_MS) return undefined;
      shownAtMs = atMs;
      const mean = (stage: (typeof STAGES)[number]) =>
        last.reduce((sum, entry) => sum + entry.times[stage], 0) / last.length;
      const [read, preprocess, infer, nms] = STAGES.map(mean);
      return {
        times: { read: read ?? 0, preprocess: preprocess ?? 0, infer: infer ?? 0, nms: nms ?? 0 },
        framesPerSecond: ((last.length - 1) * 1000) / (atMs - first.atMs),
        frames: last.length,
      };
    },
  };
}
