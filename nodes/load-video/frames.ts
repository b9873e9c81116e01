/** Cuts what ffmpeg writes into frames. The pipe is read only when a frame is wanted, so ffmpeg waits for the reader. */
import { UserError } from "../context.ts";
import type { Frame } from "../ports.ts";
import { lastLine, spawnDecoder, textOf, type VideoInfo } from "./ffmpeg.ts";
import type { VideoParams } from "./schema.ts";

export interface Video {
  readonly ffmpeg: string;
  readonly path: string;
  readonly info: VideoInfo;
  readonly params: VideoParams;
  readonly signal: AbortSignal;
}

/** Ids count the frames of the video (after `fps`), so that they stay the same whatever `every` is. */
export async function* videoFrames({ ffmpeg, path, info, params, signal }: Video): AsyncGenerator<Frame> {
  const { width, height } = info;
  const decoder = spawnDecoder(ffmpeg, path, { fps: params.fps, fpsMode: info.fpsMode });
  const kill = () => decoder.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  const errors = textOf(decoder.stderr);
  const ended = new Promise<number | null>((resolve, reject) => {
    decoder.once("error", reject);
    decoder.once("close", resolve);
  });
  // Awaited only where the frames end by themselves.
  ended.catch(() => undefined);
  errors.catch(() => undefined);
  let number = 0;
  let given = 0;
  try {
    for await (const rgb of cut(decoder.stdout, width * height * 3)) {
      signal.throwIfAborted();
      const id = `frame-${String(number).padStart(6, "0")}`;
      if (number++ % params.every !== 0) continue;
      yield { id, index: given++, width, height, rgb };
      if (params.limit > 0 && given === params.limit) return;
    }
    signal.throwIfAborted();
    const code = await ended;
    // A video that breaks off gives the frames before the break; one that gives none is of no use.
    if (given === 0) {
      const words = lastLine(await errors) || `it ended with code ${code}`;
      throw new UserError("bad-video", `ffmpeg gave no frame of the video: ${words}`, "Use a file that plays.");
    }
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
  }
}

/** How many frames there will be, as far as length and rate of the file tell. */
export function expectedFrames({ fps, seconds }: VideoInfo, params: VideoParams): number | undefined {
  const rate = params.fps > 0 ? params.fps : fps;
  if (!rate || !seconds) return params.limit > 0 ? params.limit : undefined;
  const all = Math.ceil(Math.round(rate * seconds) / params.every);
  return params.limit > 0 ? Math.min(all, params.limit) : all;
}

/** A new array for each frame: its reader may keep it. What is left at the end is less than a frame, and dropped. */
async function* cut(chunks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Uint8Array> {
  let frame = new Uint8Array(bytes);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + bytes - filled);
      frame.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < bytes) continue;
      yield frame;
      frame = new Uint8Array(bytes);
      filled = 0;
    }
  }
}
