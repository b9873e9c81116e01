import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candidates, createCandidates, push } from "./candidates.ts";
import { nonMaxSuppression, softNonMaxSuppression } from "./nms.ts";

interface Box {
  readonly box: readonly [number, number, number, number];
  readonly score: number;
  readonly cls: number;
}

function candidatesOf(boxes: readonly Box[]): Candidates {
  const candidates = createCandidates();
  for (const [i, { score, cls }] of boxes.entries()) push(candidates, i, cls, score);
  for (const [i, { box }] of boxes.entries()) candidates.boxes.set(box, i * 4);
  return candidates;
}

/** The definition, word for word: quadratic, without areas, chains or sorted keys. */
function plain(boxes: readonly Box[], iouThreshold: number, classAware: boolean): number[] {
  const order = boxes.map((_, i) => i).sort((a, b) => boxes[b].score - boxes[a].score || a - b);
  const kept: number[] = [];
  for (const i of order) {
    const meets = (k: number) =>
      (!classAware || boxes[k].cls === boxes[i].cls) && iou(boxes[k], boxes[i]) > iouThreshold;
    if (!kept.some(meets)) kept.push(i);
  }
  return kept;
}

function iou({ box: a }: Box, { box: b }: Box): number {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = (q: Box["box"]) => (q[2] - q[0]) * (q[3] - q[1]);
  return width === 0 || height === 0 ? 0 : (width * height) / (area(a) + area(b) - width * height);
}

const side = fc.integer({ min: 1, max: 12 });
const boxes = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 }), side, side).chain(([x, y, w, h]) =>
    fc.record({
      box: fc.constant<Box["box"]>([x, y, x + w, y + h]),
      score: fc.integer({ min: 0, max: 8 }).map((n) => n / 8),
      cls: fc.integer({ min: 0, max: 2 }),
    }),
  ),
  { maxLength: 60 },
);

describe("nonMaxSuppression", () => {
  it("keeps what the plain definition keeps, in its order", () => {
    fc.assert(
      fc.property(boxes, fc.constantFrom(0, 0.3, 0.5, 1), fc.boolean(), (list, iouThreshold, classAware) => {
        const got = nonMaxSuppression(candidatesOf(list), { iouThreshold, classAware, maxDetections: 1000 });
        expect([...got]).toEqual(plain(list, iouThreshold, classAware));
      }),
    );
  });

  it("stops at the number wanted", () => {
    const apart = Array.from({ length: 9 }, (_, i): Box => ({ box: [i * 9, 0, i * 9 + 5, 5], score: i / 9, cls: 0 }));
    const options = { iouThreshold: 0.5, classAware: true, maxDetections: 3 };
    expect([...nonMaxSuppression(candidatesOf(apart), options)]).toEqual([8, 7, 6]);
  });
});

describe("softNonMaxSuppression", () => {
  const three: Box[] = [
    { box: [0, 0, 10, 10], score: 0.9, cls: 0 },
    { box: [0, 0, 10, 8], score: 0.8, cls: 0 },
    { box: [0, 0, 10, 8], score: 0.7, cls: 1 },
  ];
  const options = { sigma: 0.5, classAware: true, maxDetections: 10, scoreThreshold: 0.05 };

  it("lowers an overlapping box of the class by exp(-iou^2 / sigma)", () => {
    const candidates = candidatesOf(three);
    expect([...softNonMaxSuppression(candidates, options)]).toEqual([0, 2, 1]);
    expect(candidates.scores[1]).toBeCloseTo(0.8 * Math.exp(-0.64 / 0.5), 6);
    expect(candidates.scores[2]).toBeCloseTo(0.7, 6);
  });

  it("drops what falls below the threshold", () => {
    expect([...softNonMaxSuppression(candidatesOf(three), { ...options, scoreThreshold: 0.3 })]).toEqual([0, 2]);
  });
});
