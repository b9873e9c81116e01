/**
 * The pipeline in the browser: one frame to its boxes, by the very functions that the server's nodes run. In a worker, so
 * that the page stays quick; the page asks for one thing at a time.
 */
import { UserError } from "../../nodes/context.ts";
import { createDetector, type Detector } from "../../nodes/nms/detect.ts";
import type { FrameInfo } from "../../nodes/ports.ts";
import { createPreprocessor } from "../../nodes/preprocess/pictureToTensor.ts";
import { feedsFor } from "../../nodes/streams.ts";
import { rgbaToRgb } from "../../onnx/kernels/rgbaToRgb.ts";
import type { Answer, LiveJob, Question } from "./messages.ts";
import { openWebSession, type WebSession } from "./webSession.ts";

interface Work {
  readonly job: LiveJob;
  readonly session: WebSession;
  readonly convert: ReturnType<typeof createPreprocessor>;
  readonly detect: Detector;
}

let work: Work | undefined;
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { willReadFrequently: true });
let rgb = new Uint8Array(0);

async function open(job: LiveJob): Promise<Answer> {
  const { modelUrl, backend, preprocess, nms } = job;
  const kept = work?.job.modelUrl === modelUrl && work.job.backend === backend ? work.session : undefined;
  if (!kept) await work?.session[Symbol.asyncDispose]();
  const session = kept ?? (await openWebSession(await fetchModel(modelUrl), backend));
  work = { job, session, convert: createPreprocessor(preprocess), detect: createDetector(nms) };
  return { type: "opened", runtime: session.runtime };
}

async function fetchModel(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  throw new UserError("missing-model", "The model of that run is no longer stored.", "Run the pipeline again.");
}

async function boxesOf(bitmap: ImageBitmap, index: number): Promise<Answer> {
  if (!work) throw new Error("a frame came before a model");
  const { session, convert, detect } = work;
  const { width, height } = bitmap;
  const frame: FrameInfo = { id: `frame-${String(index).padStart(6, "0")}`, index, width, height };
  const clock = [performance.now()];
  const lap = () => clock.push(performance.now());

  const picture = { width, height, rgb: pixelsOf(bitmap) };
  lap();
  const { tensor, transform } = convert(picture);
  lap();
  const input = { frame, transform, tensors: { "": tensor } };
  const tensors = await session.run(feedsFor(input, session.inputs));
  lap();
  const item = detect({ frame, transform, tensors });
  lap();
  const took = (i: number) => (clock[i + 1] ?? 0) - (clock[i] ?? 0);
  return { type: "found", item, bitmap, times: { read: took(0), preprocess: took(1), infer: took(2), nms: took(3) } };
}

/** The buffer is used again for each frame: its reader is done with it before the next comes. */
function pixelsOf(bitmap: ImageBitmap): Uint8Array {
  if (!context) throw new UserError("no-canvas", "This browser gives no pixels to a worker.", "Use a current browser.");
  const { width, height } = bitmap;
  if (rgb.length !== width * height * 3 || canvas.width !== width) {
    canvas.width = width;
    canvas.height = height;
    rgb = new Uint8Array(width * height * 3);
  }
  context.drawImage(bitmap, 0, 0);
  rgbaToRgb(context.getImageData(0, 0, width, height).data, rgb);
  return rgb;
}

const answer = (question: Question) =>
  question.type === "open" ? open(question.job) : boxesOf(question.bitmap, question.index);

self.addEventListener("message", ({ data }: MessageEvent<Question>) => {
  answer(data).then(
    (reply) => self.postMessage(reply, reply.type === "found" ? { transfer: [reply.bitmap] } : {}),
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      const fix = error instanceof UserError ? error.fix : undefined;
      self.postMessage({ type: "failed", message, fix } satisfies Answer);
    },
  );
});
