/**
 * Boxes a detector proposes, before suppression, as columns; and the scan that finds them among thousands of anchors.
 *
 * Terminology: an *anchor* is one place of the output grid; its *channels* are box, objectness and class scores.
 */

export interface Candidates {
  count: number;
  /** Which anchor each came from. */
  readonly anchors: Int32Array;
  readonly scores: Float32Array;
  readonly classes: Int32Array;
  /** x1, y1, x2, y2 of each. */
  readonly boxes: Float32Array;
}

export function createCandidates(capacity: number): Candidates {
  return {
    count: 0,
    anchors: new Int32Array(capacity),
    scores: new Float32Array(capacity),
    classes: new Int32Array(capacity),
    boxes: new Float32Array(capacity * 4),
  };
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

/** Puts each anchor whose best class scores at least `threshold` into `out` (capacity: the anchors), boxes unset. */
export function findCandidates(grid: ScoreGrid, threshold: number, out: Candidates): void {
  out.count = 0;
  if (grid.objectness) findByObjectness(grid, threshold, out);
  else if (grid.anchorStep === 1) findPlanar(grid, threshold, out);
  else findRows(grid, threshold, out);
}

/** Class by class along the memory; nearly all scores are below the threshold, so the first comparison decides. */
function findPlanar(grid: ScoreGrid, threshold: number, out: Candidates): void {
  const best = new Float32Array(grid.anchors);
  const classOf = new Int32Array(grid.anchors).fill(-1);
  for (let c = 0; c < grid.classes; c++) scanPlane(grid, c, { best, classOf, threshold });
  for (let a = 0; a < grid.anchors; a++) if (classOf[a] >= 0) push(out, a, classOf[a], best[a]);
}

function scanPlane(
  { data, anchors, offset, classStep }: ScoreGrid,
  c: number,
  { best, classOf, threshold }: { best: Float32Array; classOf: Int32Array; threshold: number },
): void {
  const base = offset + c * classStep;
  for (let a = 0; a < anchors; a++) {
    const score = data[base + a];
    if (score >= threshold && (score > best[a] || classOf[a] < 0)) {
      best[a] = score;
      classOf[a] = c;
    }
  }
}

function findRows(grid: ScoreGrid, threshold: number, out: Candidates): void {
  for (let a = 0; a < grid.anchors; a++) {
    const c = bestClass(grid, a);
    const score = grid.data[grid.offset + a * grid.anchorStep + c * grid.classStep];
    if (score >= threshold) push(out, a, c, score);
  }
}

function findByObjectness(grid: ScoreGrid, threshold: number, out: Candidates): void {
  const { data, anchorStep, objectness } = grid;
  if (!objectness) return;
  const { objectnessPower, classPower } = objectness;
  const plain = objectnessPower === 1 && classPower === 1;
  // No class score exceeds 1, so an anchor with less objectness cannot reach the threshold.
  const least = threshold ** (1 / objectnessPower);
  for (let a = 0; a < grid.anchors; a++) {
    const object = data[objectness.offset + a * anchorStep];
    if (!(object >= least)) continue;
    const c = bestClass(grid, a);
    const cls = data[grid.offset + a * anchorStep + c * grid.classStep];
    const score = plain ? object * cls : object ** objectnessPower * cls ** classPower;
    if (score >= threshold) push(out, a, c, score);
  }
}

function bestClass({ data, offset, anchorStep, classStep, classes }: ScoreGrid, anchor: number): number {
  const base = offset + anchor * anchorStep;
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

function push(out: Candidates, anchor: number, cls: number, score: number): void {
  out.anchors[out.count] = anchor;
  out.classes[out.count] = cls;
  out.scores[out.count++] = score;
}
