/**
 * Non-maximum suppression over columns of candidates: of boxes that overlap, the best scored stays (hard), or the others
 * lose score by their overlap (soft: Bodla et al., "Soft-NMS", 2017, Gaussian).
 */
import { type Candidates, MAX_CANDIDATES } from "./candidates.ts";

/** Above this many candidates only the best scored are looked at. */
const MAX_SUPPRESSED = 30_000;

export interface Suppression {
  /** A box goes when its IoU with a better one is above this. */
  readonly iouThreshold: number;
  readonly maxDetections: number;
  /** Boxes of different classes do not suppress each other. */
  readonly classAware: boolean;
}

/** Indices of the candidates that stay, best first; equal scores in the order given. */
export function nonMaxSuppression(candidates: Candidates, options: Suppression): Int32Array {
  const order = byScore(candidates);
  const areas = areasOf(candidates);
  const kept = new Int32Array(Math.min(order.length, options.maxDetections));
  // The kept boxes of each class form a chain, newest first: a box meets those of its own class only.
  const previous = new Int32Array(kept.length);
  const newest = new Map<number, number>();
  let count = 0;
  for (let i = 0; i < order.length && count < kept.length; i++) {
    const index = order[i];
    const cls = options.classAware ? candidates.classes[index] : 0;
    const chain = newest.get(cls) ?? -1;
    let at = chain;
    while (at >= 0 && overlap(candidates.boxes, areas, index, kept[at]) <= options.iouThreshold) at = previous[at];
    if (at >= 0) continue;
    kept[count] = index;
    previous[count] = chain;
    newest.set(cls, count++);
  }
  return kept.subarray(0, count);
}

export interface SoftSuppression extends Omit<Suppression, "iouThreshold"> {
  /** Of the Gaussian exp(-iou^2 / sigma). */
  readonly sigma: number;
  /** Candidates whose score falls below it go. */
  readonly scoreThreshold: number;
}

/** As `nonMaxSuppression`, but lowers `candidates.scores` in place. */
export function softNonMaxSuppression(candidates: Candidates, options: SoftSuppression): Int32Array {
  const { boxes, scores, classes } = candidates;
  const left = byScore(candidates);
  const areas = areasOf(candidates);
  const kept = new Int32Array(Math.min(left.length, options.maxDetections));
  let count = 0;
  let remaining = left.length;
  while (remaining > 0 && count < kept.length) {
    let best = 0;
    for (let i = 1; i < remaining; i++) if (scores[left[i]] > scores[left[best]]) best = i;
    const winner = left[best];
    if (scores[winner] < options.scoreThreshold) break;
    kept[count++] = winner;
    left[best] = left[--remaining];
    for (let i = 0; i < remaining; i++) {
      const other = left[i];
      if (options.classAware && classes[other] !== classes[winner]) continue;
      const iou = overlap(boxes, areas, winner, other);
      if (iou > 0) scores[other] *= Math.exp((-iou * iou) / options.sigma);
    }
  }
  return kept.subarray(0, count);
}

/**
 * Sorts by one number a candidate: the bits of a positive float rise with its value, and the index fills the bits below,
 * so that the typed array's own sort does it without a comparator.
 */
function byScore({ scores, count }: Candidates): Int32Array {
  const room = MAX_CANDIDATES;
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, count);
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) keys[i] = bits[i] * room + (room - 1 - i);
  keys.sort();
  const order = new Int32Array(Math.min(count, MAX_SUPPRESSED));
  for (let i = 0; i < order.length; i++) {
    const key = keys[count - 1 - i];
    order[i] = room - 1 - (key - Math.floor(key / room) * room);
  }
  return order;
}

function areasOf({ boxes, count }: Candidates): Float32Array {
  const areas = new Float32Array(count);
  for (let i = 0, b = 0; i < count; i++, b += 4) areas[i] = (boxes[b + 2] - boxes[b]) * (boxes[b + 3] - boxes[b + 1]);
  return areas;
}

function overlap(boxes: Float32Array, areas: Float32Array, i: number, j: number): number {
  const a = i * 4;
  const b = j * 4;
  const width = Math.min(boxes[a + 2], boxes[b + 2]) - Math.max(boxes[a], boxes[b]);
  if (width <= 0) return 0;
  const height = Math.min(boxes[a + 3], boxes[b + 3]) - Math.max(boxes[a + 1], boxes[b + 1]);
  if (height <= 0) return 0;
  const both = width * height;
  return both / (areas[i] + areas[j] - both);
}
