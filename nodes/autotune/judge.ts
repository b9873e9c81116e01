/**
 * What a detector's boxes are worth. With labels: COCO's mAP on the labelled images. Without: the given model's own boxes
 * stand in for them, each with its score as the chance that it is right. Drawn a few times over, they make label sets
 * against which the given model itself is not perfect, so that a candidate that differs from it is not wrong by that alone.
 */
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import type { Judge, Verdict } from "../../onnx/passes/place/judge.ts";
import { UserError } from "../context.ts";
import { type ClassMap, mapClasses } from "../evaluate/classes.ts";
import { CocoScorer } from "../evaluate/cocoScore.ts";
import type { ImageLabel, ImagesIndex } from "../imagesIndex.ts";
import { createDetector, type Detector } from "../nms/detect.ts";
import { nms } from "../nms/schema.ts";
import type { DetectionItem, TensorItem } from "../ports.ts";

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
  const labels = new Map(index.images.map(({ file, labels }) => [file, labels]));
  const detector = createDetector(EVERY_BOX);
  return {
    measure: "mAP",
    async judge(run): Promise<Verdict> {
      const scorer = new CocoScorer();
      for (const [i, found] of (await detect(detector, frames, run)).entries()) {
        const truth = labels.get(found.frame);
        if (truth) scorer.add(i, truth, classes.toLabels(found.detections));
      }
      const mAP = scorer.score()?.mAP ?? 0;
      return { quality: mAP, mAP };
    },
  };
}

/** Sets of labels that are drawn. */
const DRAWS = 8;
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
  const draws = Array.from({ length: DRAWS }, () => boxes.map(({ detections }) => draw(detections, random)));
  return {
    measure: "expected mAP50",
    async judge(run): Promise<Verdict> {
      const found = await detect(detector, frames, run);
      const scores = draws.map((labels) => {
        const scorer = new CocoScorer();
        for (const [i, { detections }] of found.entries()) scorer.add(i, labels[i] ?? [], detections);
        return scorer.score()?.mAP50 ?? 0;
      });
      return { quality: scores.reduce((sum, score) => sum + score, 0) / DRAWS };
    },
  };
}

function draw(detections: DetectionItem["detections"], random: () => number): ImageLabel[] {
  return detections
    .filter(({ score }) => score >= SURE && random() < score)
    .map(({ classId, box }) => ({ classId, box: [box[0], box[1], box[2], box[3]] }));
}

/** Tommy Ettinger's mulberry32. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
