/**
 * The live view's state and its loop: a frame, its boxes, the next frame. One frame is under way at a time, so a slow
 * model gives fewer frames a second, never a queue.
 */
import { create } from "zustand";
import { UserError } from "../../nodes/context.ts";
import type { DetectionItem } from "../../nodes/ports.ts";
import { messageOf } from "../shell/sentence.ts";
import { type FrameSource, openFrames } from "./frameSource.ts";
import { type LiveFigures, rollingFigures } from "./liveFigures.ts";
import type { Answer, Fault, LiveJob, Question } from "./messages.ts";

interface Live {
  readonly phase: "idle" | "starting" | "running";
  readonly fault: Fault | undefined;
  readonly item: DetectionItem | undefined;
  readonly figures: LiveFigures | undefined;
  readonly runtime: string | undefined;
}

const IDLE: Live = { phase: "idle", fault: undefined, item: undefined, figures: undefined, runtime: undefined };
export const useLive = create<Live>(() => IDLE);

export interface Screen {
  readonly video: HTMLVideoElement;
  readonly canvas: HTMLCanvasElement;
}

/** What runs now; another start or a stop puts it out of office. */
let session: { readonly close: () => void } | undefined;
let wanted: LiveJob | undefined;

/** The job may change while frames run: the next one is done by the new. */
export function setJob(job: LiveJob | undefined): void {
  wanted = job;
}

export function stopLive(): void {
  session?.close();
  session = undefined;
  useLive.setState(IDLE);
}

export async function startLive(screen: Screen, from: "camera" | File): Promise<void> {
  stopLive();
  useLive.setState({ phase: "starting" });
  const worker = createWorker();
  const open: { frames?: FrameSource } = {};
  const own = {
    close: () => {
      worker.end();
      open.frames?.close();
    },
  };
  session = own;
  const isOurs = () => session === own;
  const fail = (error: unknown) => {
    if (!isOurs()) return;
    stopLive();
    useLive.setState({
      fault: { message: messageOf(error), fix: error instanceof UserError ? error.fix : undefined },
    });
  };
  try {
    const frames = await openFrames(screen.video, from, fail);
    open.frames = frames;
    // Stopped while the browser asked for permission: the camera must not stay on.
    if (!isOurs()) return frames.close();
    await runFrames(frames, worker, { screen, isOurs });
  } catch (error) {
    fail(error);
  }
}

interface Stage {
  readonly screen: Screen;
  readonly isOurs: () => boolean;
}

async function runFrames(frames: FrameSource, worker: LiveWorker, { screen, isOurs }: Stage): Promise<void> {
  const shown = screen.canvas.getContext("bitmaprenderer");
  let current: LiveJob | undefined;
  let figures = rollingFigures();
  for (let index = 0; isOurs(); index++) {
    if (wanted && wanted !== current) {
      const same = current?.modelUrl === wanted.modelUrl && current.backend === wanted.backend;
      current = wanted;
      const opened = await worker.ask({ type: "open", job: current });
      if (!isOurs()) return;
      if (opened.type === "opened" && !same) {
        figures = rollingFigures();
        useLive.setState({ runtime: opened.runtime, figures: undefined });
      }
    }
    const bitmap = await frames.next();
    if (!isOurs()) return bitmap.close();
    const found = await worker.ask({ type: "frame", bitmap, index }, [bitmap]);
    if (found.type !== "found" || !isOurs()) return;
    shown?.transferFromImageBitmap(found.bitmap);
    const now = figures.add(found.times, performance.now());
    useLive.setState({ phase: "running", item: found.item, ...(now && { figures: now }) });
  }
}

interface LiveWorker {
  /** Throws UserError where the worker says that it failed. */
  ask(question: Question, transfer?: Transferable[]): Promise<Answer>;
  end(): void;
}

function createWorker(): LiveWorker {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return {
    ask: (question, transfer = []) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<Answer>) => {
          if (data.type === "failed") reject(new UserError("live", data.message, data.fix));
          else resolve(data);
        };
        worker.onerror = (event) => reject(new Error(event.message || "The worker stopped."));
        worker.postMessage(question, transfer);
      }),
    end: () => worker.terminate(),
  };
}
