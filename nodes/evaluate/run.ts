/** Reads the detections once, frame by frame beside the reference's, and reports what the labels and it allow. */
import { UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import { readImagesIndex } from "../images.ts";
import type { DetectionItem, Stream } from "../ports.ts";
import { lockstep } from "../streams.ts";
import { BoxAgreementMeter } from "./boxAgreement.ts";
import { type ClassMap, mapClasses } from "./classes.ts";
import { type CocoScore, CocoScorer } from "./cocoScore.ts";
import { evaluate } from "./schema.ts";
import { TopScorer } from "./topScorer.ts";

/** Classes whose own curve the report keeps, the most labelled first. */
const CURVES = 8;

export const run = implementNode(evaluate, async (ctx, { detections, images, reference }, params) => {
  const index = await readImagesIndex(ctx, images);
  const places = new Map(index.images.map((image, place) => [image.file, place]));
  const labelled = index.images.filter(({ labels }) => labels).length;
  if (labelled === 0 && !reference) {
    throw new UserError(
      "no-labels",
      "The images have no labels to evaluate against.",
      "Set labels of load-images, or wire the original model's detections to reference.",
    );
  }
  const classes = mapClasses(index);
  const coco = new CocoScorer();
  const top = new TopScorer();
  const boxes = new BoxAgreementMeter(params.agreementScore);
  const seen = new Set<string>();
  let done = 0;
  for await (const [item, other] of paired(detections, reference)) {
    ctx.signal.throwIfAborted();
    if (other) boxes.add(item.detections, other.detections);
    const place = places.get(item.frame);
    const labels = place === undefined ? undefined : index.images[place]?.labels;
    if (place !== undefined && labels && !seen.has(item.frame)) {
      seen.add(item.frame);
      const found = classes.toLabels(item.detections);
      if (params.task === "classification") top.add(labels, found);
      else coco.add(place, labels, found);
    }
    ctx.progress(++done, detections.total, "images");
  }
  if (labelled > 0 && seen.size === 0) {
    throw new UserError(
      "different-images",
      "None of the detections' frames is among the labelled images.",
      "Wire the images that the model looked at.",
    );
  }
  const missed = index.images.filter(({ file, labels }) => labels && !seen.has(file));
  if (labelled > 0 && missed.length > 0) {
    ctx.warn(`${missed.length} labelled images have no detections' line; their labels count as missed.`);
    // They have no detections to be matched, but their labels count.
    for (const { file, labels } of missed) {
      if (params.task === "classification") top.add(labels ?? [], []);
      else coco.add(places.get(file) ?? 0, labels ?? [], []);
    }
  }
  const report = await ctx.artifacts.report({
    kind: "evaluate",
    version: 1,
    provenance: "measured",
    task: params.task,
    images: labelled > 0 ? labelled : done,
    ...(params.task === "classification" ? top.result() : cocoReport(coco.score(), classes)),
    ...(reference && { agreement: boxes.result() }),
  });
  return { report };
});

async function* paired(
  detections: Stream<DetectionItem>,
  reference: Stream<DetectionItem> | undefined,
): AsyncGenerator<readonly [DetectionItem, DetectionItem | undefined]> {
  const idOf = (item: DetectionItem) => item.frame;
  if (reference) yield* lockstep({ stream: detections, idOf }, { stream: reference, idOf });
  else for await (const item of detections) yield [item, undefined];
}

function cocoReport(score: CocoScore | undefined, { nameOf }: ClassMap): Readonly<Record<string, unknown>> {
  if (!score) return {};
  const most = [...score.classes].sort((a, b) => b.labels - a.labels).slice(0, CURVES);
  const short = (curve: readonly number[]) => curve.map((p) => Math.round(p * 1e4) / 1e4);
  return {
    mAP: score.mAP,
    mAP50: score.mAP50,
    perClass: Object.fromEntries(score.classes.map((c) => [nameOf(c.classId), { AP: c.AP, AP50: c.AP50 }])),
    precisionRecall: {
      iou: 0.5,
      mean: short(score.curve50),
      perClass: Object.fromEntries(most.map((c) => [nameOf(c.classId), short(c.curve50)])),
    },
  };
}
