/**
 * What a detector's boxes are worth. With labels: COCO's mAP on the labelled images. Without: the given model's own boxes
 * stand in for them, each with its score as the chance that it is right. Drawn a few times over, they make label sets
 * against which the given model itself is not perfect, so that a candidate that differs from it is not wrong by that alone.
 */
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import type { Judge, Verdict } from "../../onnx/passes/place/judge.ts";
import { mulberry32 } from "../../onnx/seededTensor.ts";
import { UserError } from "../context.ts";
import { type ClassMap, mapClasses } from "../evaluate/classes.ts";
import { type CocoScore, CocoScorer } from "../evaluate/cocoScore.ts";
import type { ImageLabel, ImagesIndex } from "../imagesIndex.ts";
import { createDetector, type Detector } from "../nms/detect.ts";
import { nms } from "../nms/schema.ts";
import type { Detection, DetectionItem, TensorItem } from "../ports.ts";

/** As COCO counts: weak boxes too. */
const EVERY_BOX = nms.params.parse({ scoreThreshold: 0.01 });

export interface JudgedFrame {
  readonly item: TensorItem;
  readonly feeds: HostTensors;
}

type Run = (feeds: HostTensors) => Promise<HostTensors>;

async function detect(detector: Detector, frames: readonly JudgedFrame[], run: Run): Promise<DetectionItem[]> {
  const found: DetectionItem[] = [];
  for (const { item, feeds } of frames) found.push(detector({ ...item, tensors: await run(feeds) }));
  return found;
}

/** By labels, which the frames' images have in the index. */
export function labelJudge(frames: readonly JudgedFrame[], index: ImagesIndex): Judge {
  const classes: ClassMap = mapClasses(index);
  const byFile = new Map(index.images.map(({ file, labels }) => [file, labels]));
  const detector = createDetector(EVERY_BOX);
  const samples = resamples(frames.length);
  return {
    measure: "mAP",
    async judge(run): Promise<Verdict> {
      const boxes = await detect(detector, frames, run);
      const found = boxes.map(({ detections }) => classes.toLabels(detections));
      const labels = boxes.map(({ frame }) => byFile.get(frame));
      const mAP = scoreOf(everyFrame(frames), { labels, found })?.mAP ?? 0;
      const resampled = samples.map((sample) => scoreOf(sample, { labels, found })?.mAP ?? 0);
      return { quality: mAP, resampled, mAP };
    },
  };
}

/** Samples of frames, and sets of labels that are drawn. */
const SAMPLES = 16;
/** A weaker box is no guess worth keeping: no label is drawn of it. */
const SURE = 0.25;

/** By the given model's own boxes; undefined where its outputs are no detector's. */
export async function expectedJudge(frames: readonly JudgedFrame[], given: Run): Promise<Judge | undefined> {
  const detector = createDetector(EVERY_BOX);
  const boxes = await detect(detector, frames, given).catch((error: unknown) => {
    if (error instanceof UserError) return undefined;
    throw error;
  });
  if (!boxes?.some(({ detections }) => detections.some(({ score }) => score >= SURE))) return undefined;
  const random = mulberry32(1);
  const samples = resamples(frames.length).map((sample) => ({
    sample,
    labels: boxes.map(({ detections }) => draw(detections, random)),
  }));
  return {
    measure: "expected mAP50",
    async judge(run): Promise<Verdict> {
      const found = (await detect(detector, frames, run)).map(({ detections }) => detections);
      const whole = samples.map(({ labels }) => scoreOf(everyFrame(frames), { labels, found })?.mAP50 ?? 0);
      const resampled = samples.map(({ sample, labels }) => scoreOf(sample, { labels, found })?.mAP50 ?? 0);
      return { quality: whole.reduce((sum, score) => sum + score, 0) / SAMPLES, resampled };
    },
  };
}

interface Scored {
  /** Per frame; undefined where it is not labelled. */
  readonly labels: readonly (readonly ImageLabel[] | undefined)[];
  readonly found: readonly (readonly Detection[])[];
}

function scoreOf(sample: readonly number[], { labels, found }: Scored): CocoScore | undefined {
  const scorer = new CocoScorer();
  for (const [place, frame] of sample.entries()) {
    const truth = labels[frame];
    if (truth) scorer.add(place, truth, found[frame] ?? []);
  }
  return scorer.score();
}

function everyFrame(frames: readonly unknown[]): readonly number[] {
  return frames.map((_, i) => i);
}

/** As many frames, drawn with replacement. */
function resamples(frames: number): readonly (readonly number[])[] {
  const random = mulberry32(2);
  return Array.from({ length: SAMPLES }, () => Array.from({ length: frames }, () => Math.floor(random() * frames)));
}

function draw(detections: DetectionItem["detections"], random: () => number): ImageLabel[] {
  return detections
    .filter(({ score }) => score >= SURE && random() < score)
    .map(({ classId, box }) => ({ classId, box: [box[0], box[1], box[2], box[3]] }));
}
