import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ImageLabel } from "../imagesIndex.ts";
import { CocoScorer } from "./cocoScore.ts";

interface Case {
  readonly images: readonly {
    readonly labels: readonly ImageLabel[];
    readonly detections: readonly { classId: number; score: number; box: [number, number, number, number] }[];
  }[];
  readonly mAP: number;
  readonly mAP50: number;
  readonly perClass: Readonly<Record<string, readonly [number, number]>>;
}

const golden: { readonly cases: Readonly<Record<string, Case>> } = JSON.parse(
  readFileSync(new URL("./coco.golden.json", import.meta.url), "utf8"),
);

function score({ images }: Pick<Case, "images">, order = images.map((_, i) => i)) {
  const scorer = new CocoScorer();
  for (const i of order) {
    const image = images[i];
    if (image)
      scorer.add(
        i,
        image.labels,
        image.detections.map((d) => ({ ...d, class: "" })),
      );
  }
  return scorer.score();
}

describe("CocoScorer against pycocotools", () => {
  it.each(Object.entries(golden.cases))("%s", (_, expected) => {
    const got = score(expected);
    expect(got?.mAP).toBeCloseTo(expected.mAP, 12);
    expect(got?.mAP50).toBeCloseTo(expected.mAP50, 12);
    const perClass = Object.fromEntries(got?.classes.map(({ classId, AP, AP50 }) => [classId, [AP, AP50]]) ?? []);
    expect(Object.keys(perClass)).toEqual(Object.keys(expected.perClass));
    for (const [id, [AP, AP50]] of Object.entries(expected.perClass)) {
      expect(perClass[id]?.[0]).toBeCloseTo(AP, 12);
      expect(perClass[id]?.[1]).toBeCloseTo(AP50, 12);
    }
  });

  it("does not depend on the order in which images arrive", () => {
    for (const expected of Object.values(golden.cases)) {
      expect(score(expected, expected.images.map((_, i) => i).reverse())).toEqual(score(expected));
    }
  });
});

describe("CocoScorer", () => {
  it("has no score without labels", () => {
    expect(
      score({ images: [{ labels: [], detections: [{ classId: 0, score: 1, box: [0, 0, 5, 5] }] }] }),
    ).toBeUndefined();
  });
  it("counts a label that nothing found as missed", () => {
    expect(score({ images: [{ labels: [{ classId: 3, box: [0, 0, 5, 5] }], detections: [] }] })).toMatchObject({
      mAP: 0,
      classes: [{ classId: 3, labels: 1, AP: 0 }],
    });
  });
});
