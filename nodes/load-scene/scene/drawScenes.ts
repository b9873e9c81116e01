/**
 * Many pictures of scenes, drawn by a thread for each core, in the order asked for and few at a time: memory does not grow
 * with their number. Few pictures, or one core, and the caller's own thread draws: starting others takes longer.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { Stream } from "../../ports.ts";
import { mapStream } from "../../streams.ts";
import { createDrawer, type DrawJob, type DrawnPicture } from "./drawer.ts";
import type { DrawReply, DrawRequest } from "./drawThread.ts";

/** Pictures for which a thread is worth its start: until its code is compiled well it draws them at a third of its speed. */
const WORTH_A_THREAD = 64;
/** More draw faster than their pictures are stored. */
const MOST_THREADS = 8;

export interface DrawOptions {
  readonly signal: AbortSignal;
  /** The threads' program: beside the running one, where both are bundles. From the sources (tests) no thread is started. */
  readonly program?: URL;
}

/** `jobs.total` says how many there are. Ends its threads with the stream, however that ends. */
export async function* drawScenes(jobs: Stream<DrawJob>, options: DrawOptions): AsyncGenerator<DrawnPicture> {
  const { signal, program = new URL("drawThread.js", pathToFileURL(process.argv[1] ?? "")) } = options;
  const cores = existsSync(fileURLToPath(program)) ? availableParallelism() : 1;
  const count = Math.min(cores, MOST_THREADS, Math.floor((jobs.total ?? Number.POSITIVE_INFINITY) / WORTH_A_THREAD));
  const threads = count > 1 ? Array.from({ length: count }, () => new DrawThread(program)) : [];
  const own = createDrawer();
  const draw = (job: DrawJob, index: number) => {
    signal.throwIfAborted();
    return (threads[index % threads.length]?.draw ?? own)(job);
  };
  try {
    // Two for each: a thread never waits for its next.
    yield* mapStream(jobs, draw, Math.max(2, 2 * threads.length));
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

interface Waiting {
  resolve(picture: DrawnPicture): void;
  reject(reason: unknown): void;
}

class DrawThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #failure: { readonly reason: unknown } | undefined;

  constructor(program: URL) {
    this.#worker = new Worker(program);
    this.#worker.on("message", ({ id, picture }: DrawReply) => {
      this.#waiting.get(id)?.resolve(picture);
      this.#waiting.delete(id);
    });
    this.#worker.on("error", (reason) => this.#fail(reason));
    this.#worker.on("exit", () => this.#fail(new Error("the drawing thread ended")));
  }

  readonly draw = (job: DrawJob): Promise<DrawnPicture> => {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure.reason);
      const id = this.#asked++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, job } satisfies DrawRequest);
    });
  };

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}
