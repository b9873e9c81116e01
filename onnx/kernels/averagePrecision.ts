/**
 * COCO's detection score for one class, as pycocotools computes it (cocoeval.py: evaluateImg and accumulate, area range
 * "all", 100 detections an image), so that figures can be compared with any paper's.
 */

/** .50, .55 ... .95, by the same arithmetic as numpy's linspace. */
export const IOU_THRESHOLDS: readonly number[] = Array.from({ length: 10 }, (_, i) =>
  i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9),
);
export const RECALL_POINTS = 101;
export const MAX_DETECTIONS = 100;

/** Boxes are x, y, width, height. */
export interface ClassOfImage {
  /** Best first, at most `MAX_DETECTIONS`. */
  readonly detections: Float64Array;
  /** Crowd regions last. */
  readonly truths: Float64Array;
  /** How many of `truths` are crowd regions. */
  readonly crowds: number;
}

/** Bit t of an entry is about IOU_THRESHOLDS[t]. */
export interface Matches {
  readonly matched: Uint16Array;
  /** Matched to a crowd region: neither right nor wrong. */
  readonly ignored: Uint16Array;
}

/** Gives each detection, best first, the free label that it overlaps most. */
export function matchBoxes({ detections, truths, crowds }: ClassOfImage): Matches {
  const count = detections.length / 4;
  const labels = truths.length / 4;
  const matched = new Uint16Array(count);
  const ignored = new Uint16Array(count);
  const ious = iouTable(detections, truths, labels - crowds);
  const taken = new Uint8Array(labels);
  for (let t = 0; t < IOU_THRESHOLDS.length; t++) {
    taken.fill(0);
    for (let d = 0; d < count; d++) {
      const found = bestLabel(ious.subarray(d * labels, (d + 1) * labels), taken, labels - crowds, IOU_THRESHOLDS[t]);
      if (found < 0) continue;
      matched[d] |= 1 << t;
      if (found >= labels - crowds) ignored[d] |= 1 << t;
      taken[found] = 1;
    }
  }
  return { matched, ignored };
}

/** The last of the best; crowd regions can be taken again and again, and only where no label fits. */
function bestLabel(ious: Float64Array, taken: Uint8Array, plain: number, threshold: number): number {
  let best = -1;
  let iou = Math.min(threshold, 1 - 1e-10);
  for (let g = 0; g < ious.length; g++) {
    const crowd = g >= plain;
    if (taken[g] && !crowd) continue;
    if (best >= 0 && best < plain && crowd) break;
    if (ious[g] < iou) continue;
    iou = ious[g];
    best = g;
  }
  return best;
}

/** Intersection over union; over the detection's own area where the label is a crowd region. */
function iouTable(detections: Float64Array, truths: Float64Array, plain: number): Float64Array {
  const labels = truths.length / 4;
  const table = new Float64Array((detections.length / 4) * labels);
  for (let d = 0, i = 0; d < detections.length; d += 4) {
    const area = detections[d + 2] * detections[d + 3];
    for (let g = 0; g < truths.length; g += 4, i++) {
      const right = Math.min(detections[d] + detections[d + 2], truths[g] + truths[g + 2]);
      const width = right - Math.max(detections[d], truths[g]);
      const bottom = Math.min(detections[d + 1] + detections[d + 3], truths[g + 1] + truths[g + 3]);
      const height = bottom - Math.max(detections[d + 1], truths[g + 1]);
      if (width <= 0 || height <= 0) continue;
      const both = width * height;
      table[i] = both / (g / 4 >= plain ? area : area + truths[g + 2] * truths[g + 3] - both);
    }
  }
  return table;
}

/**
 * Precision at recall 0, .01 ... 1 for one threshold (bit `t`), of detections sorted by falling score over all images;
 * `labels` counts those that are no crowd.
 */
export function precisionCurve({ matched, ignored }: Matches, labels: number, t: number): Float64Array {
  const curve = new Float64Array(RECALL_POINTS);
  const precision = new Float64Array(matched.length);
  const recall = new Float64Array(matched.length);
  let right = 0;
  let wrong = 0;
  for (let i = 0; i < matched.length; i++) {
    if (!((ignored[i] >> t) & 1)) {
      if ((matched[i] >> t) & 1) right++;
      else wrong++;
    }
    recall[i] = right / labels;
    precision[i] = right / (right + wrong + Number.EPSILON);
  }
  for (let i = precision.length - 1; i > 0; i--) precision[i - 1] = Math.max(precision[i - 1], precision[i]);
  for (let r = 0, i = 0; r < RECALL_POINTS; r++) {
    const wanted = r === RECALL_POINTS - 1 ? 1 : r * 0.01;
    while (i < recall.length && recall[i] < wanted) i++;
    if (i === recall.length) break;
    curve[r] = precision[i];
  }
  return curve;
}
