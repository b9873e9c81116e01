/**
 * Boxes a detector proposes, before suppression, as columns; and the scan that finds them among thousands of anchors.
 *
 * Terminology: an *anchor* is one place of the output grid; its *channels* are box, objectness and class scores.
 */

/** Grows as needed; the same object is filled again for each frame. */
export interface Candidates {
  count: number;
  /** Which anchor each came from. */
  anchors: Int32Array;
  scores: Float32Array;
  classes: Int32Array;
  /** x1, y1, x2, y2 of each. */
  boxes: Float32Array;
}

export function createCandidates(): Candidates {
  return {
    count: 0,
    anchors: new Int32Array(1024),
    scores: new Float32Array(1024),
    classes: new Int32Array(1024),
    boxes: new Float32Array(4096),
  };
}

/** More than this many in one frame is a threshold of nothing. */
export const MAX_CANDIDATES = 2 ** 21;

export class TooManyCandidates extends Error {
  override readonly name = "TooManyCandidates";
}

/** Class scores of `anchors` anchors: the score of class c at anchor a is data[offset + a * anchorStep + c * classStep]. */
export interface ScoreGrid {
  readonly data: Float32Array;
  readonly anchors: number;
  readonly classes: number;
  readonly offset: number;
  readonly anchorStep: number;
  readonly classStep: number;
  /** score = objectness ^ objectnessPower * class ^ classPower; objectness lies at objectnessOffset + a * anchorStep. */
  readonly objectness?: {
    readonly offset: number;
    readonly objectnessPower: number;
    readonly classPower: number;
  };
}

export interface Wanted {
  readonly threshold: number;
  /** Every class of an anchor that scores enough, as evaluations count; else its best class alone. */
  readonly multiLabel: boolean;
}

/** Puts what scores at least the threshold into `out`, boxes unset. Throws `TooManyCandidates`. */
export function findCandidates(grid: ScoreGrid, wanted: Wanted, out: Candidates): void {
  out.count = 0;
  if (grid.objectness) findByObjectness(grid, wanted, out);
  else if (grid.anchorStep !== 1) findRows(grid, wanted, out);
  else if (wanted.multiLabel) findPlanarAll(grid, wanted.threshold, out);
  else findPlanarBest(grid, wanted.threshold, out);
}

/** Class by class along the memory; nearly all scores are below the threshold, so the first comparison decides. */
function findPlanarAll({ data, anchors, classes, offset, classStep }: ScoreGrid, threshold: number, out: Candidates) {
  for (let c = 0; c < classes; c++) {
    const base = offset + c * classStep;
    for (let a = 0; a < anchors; a++) {
      const score = data[base + a];
      if (score >= threshold) push(out, a, c, score);
    }
  }
}

function findPlanarBest(grid: ScoreGrid, threshold: number, out: Candidates): void {
  const { data, anchors, classes, offset, classStep } = grid;
  const best = new Float32Array(anchors);
  const classOf = new Int32Array(anchors).fill(-1);
  for (let c = 0; c < classes; c++) {
    const base = offset + c * classStep;
    for (let a = 0; a < anchors; a++) {
      const score = data[base + a];
      if (score >= threshold && (score > best[a] || classOf[a] < 0)) {
        best[a] = score;
        classOf[a] = c;
      }
    }
  }
  for (let a = 0; a < anchors; a++) if (classOf[a] >= 0) push(out, a, classOf[a], best[a]);
}

function findRows(grid: ScoreGrid, { threshold, multiLabel }: Wanted, out: Candidates): void {
  const { data, anchors, classes, anchorStep, classStep } = grid;
  for (let a = 0, base = grid.offset; a < anchors; a++, base += anchorStep) {
    const first = multiLabel ? 0 : bestClass(grid, base);
    const last = multiLabel ? classes : first + 1;
    for (let c = first; c < last; c++) {
      const score = data[base + c * classStep];
      if (score >= threshold) push(out, a, c, score);
    }
  }
}

function findByObjectness(grid: ScoreGrid, { threshold, multiLabel }: Wanted, out: Candidates): void {
  const { data, anchorStep, classStep, objectness } = grid;
  if (!objectness) return;
  const { objectnessPower, classPower } = objectness;
  // No class score exceeds 1, so an anchor with less objectness cannot reach the threshold.
  const least = threshold ** (1 / objectnessPower);
  for (let a = 0; a < grid.anchors; a++) {
    const object = data[objectness.offset + a * anchorStep];
    if (!(object >= least)) continue;
    const base = grid.offset + a * anchorStep;
    const factor = objectnessPower === 1 ? object : object ** objectnessPower;
    const first = multiLabel ? 0 : bestClass(grid, base);
    const last = multiLabel ? grid.classes : first + 1;
    for (let c = first; c < last; c++) {
      const cls = data[base + c * classStep];
      const score = factor * (classPower === 1 ? cls : cls ** classPower);
      if (score >= threshold) push(out, a, c, score);
    }
  }
}

function bestClass({ data, classStep, classes }: ScoreGrid, base: number): number {
  let best = 0;
  let score = data[base];
  for (let c = 1, at = base + classStep; c < classes; c++, at += classStep) {
    if (data[at] > score) {
      score = data[at];
      best = c;
    }
  }
  return best;
}

export function push(out: Candidates, anchor: number, cls: number, score: number): void {
  if (out.count === out.anchors.length) grow(out);
  out.anchors[out.count] = anchor;
  out.classes[out.count] = cls;
  out.scores[out.count++] = score;
}

function grow(out: Candidates): void {
  const capacity = out.anchors.length * 2;
  if (capacity > MAX_CANDIDATES) throw new TooManyCandidates(`more than ${MAX_CANDIDATES} boxes pass the threshold`);
  const { anchors, scores, classes } = out;
  out.anchors = new Int32Array(capacity);
  out.anchors.set(anchors);
  out.scores = new Float32Array(capacity);
  out.scores.set(scores);
  out.classes = new Int32Array(capacity);
  out.classes.set(classes);
  out.boxes = new Float32Array(capacity * 4);
}
