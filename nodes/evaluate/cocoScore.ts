/**
 * mAP over images as they come: each image is matched when its detections arrive, and only scores and matches are kept.
 * Equal scores keep the order of the images in the index, as in pycocotools.
 */
import {
  IOU_THRESHOLDS,
  MAX_DETECTIONS,
  matchBoxes,
  precisionCurve,
  RECALL_POINTS,
} from "../../onnx/kernels/averagePrecision.ts";
import type { ImageLabel } from "../imagesIndex.ts";
import type { Detection } from "../ports.ts";

export interface ClassScore {
  readonly classId: number;
  readonly labels: number;
  readonly AP: number;
  readonly AP50: number;
  /** Precision at recall 0, .01 ... 1, IoU .50. */
  readonly curve50: readonly number[];
}

export interface CocoScore {
  readonly mAP: number;
  readonly mAP50: number;
  /** Classes with labels, by id. */
  readonly classes: readonly ClassScore[];
  /** Mean over these classes of their precision at recall 0, .01 ... 1, IoU .50. */
  readonly curve50: readonly number[];
}

interface Entry {
  readonly score: number;
  readonly image: number;
  readonly rank: number;
  readonly matched: number;
  readonly ignored: number;
}

export class CocoScorer {
  readonly #entries = new Map<number, Entry[]>();
  readonly #labels = new Map<number, number>();

  /** One image with all its labels; `image` is its place in the index. */
  add(image: number, labels: readonly ImageLabel[], detections: readonly Detection[]): void {
    const truths = byClass(labels);
    const found = byClass(detections);
    for (const classId of new Set([...truths.keys(), ...found.keys()])) {
      this.#addClass(image, { classId, truths: truths.get(classId) ?? [], found: found.get(classId) ?? [] });
    }
  }

  #addClass(
    image: number,
    { classId, truths, found }: { classId: number; truths: readonly ImageLabel[]; found: readonly Detection[] },
  ): void {
    const plain = truths.filter(({ crowd }) => !crowd);
    const crowds = truths.filter(({ crowd }) => crowd);
    const best = [...found].sort((a, b) => b.score - a.score).slice(0, MAX_DETECTIONS);
    const { matched, ignored } = matchBoxes({
      detections: Float64Array.from(best.flatMap(({ box }) => box)),
      truths: Float64Array.from([...plain, ...crowds].flatMap(({ box }) => box)),
      crowds: crowds.length,
    });
    const entries = this.#entries.get(classId) ?? [];
    this.#entries.set(classId, entries);
    for (const [rank, { score }] of best.entries()) {
      entries.push({ score, image, rank, matched: matched[rank] ?? 0, ignored: ignored[rank] ?? 0 });
    }
    this.#labels.set(classId, (this.#labels.get(classId) ?? 0) + plain.length);
  }

  /** Undefined where nothing is labelled: no class, no mean. */
  score(): CocoScore | undefined {
    const classes = [...this.#labels]
      .filter(([, labels]) => labels > 0)
      .sort(([a], [b]) => a - b)
      .map(([classId, labels]) => this.#scoreClass(classId, labels));
    if (classes.length === 0) return undefined;
    return {
      mAP: mean(classes.map(({ AP }) => AP)),
      mAP50: mean(classes.map(({ AP50 }) => AP50)),
      classes,
      curve50: Array.from({ length: RECALL_POINTS }, (_, r) => mean(classes.map(({ curve50 }) => curve50[r] ?? 0))),
    };
  }

  #scoreClass(classId: number, labels: number): ClassScore {
    const entries = [...(this.#entries.get(classId) ?? [])];
    entries.sort((a, b) => b.score - a.score || a.image - b.image || a.rank - b.rank);
    const matches = {
      matched: Uint16Array.from(entries, ({ matched }) => matched),
      ignored: Uint16Array.from(entries, ({ ignored }) => ignored),
    };
    const curves = IOU_THRESHOLDS.map((_, t) => [...precisionCurve(matches, labels, t)]);
    const [curve50 = []] = curves;
    return { classId, labels, AP: mean(curves.flat()), AP50: mean(curve50), curve50 };
  }
}

/** `Map.groupBy` is not in Node 20. */
function byClass<T extends { readonly classId: number }>(items: readonly T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(item.classId);
    if (group) group.push(item);
    else groups.set(item.classId, [item]);
  }
  return groups;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
