/** How far two models see the same, without labels: boxes of one class are matched at IoU 0.5, the surest first. */
import type { Detection } from "../ports.ts";

const IOU = 0.5;

export interface BoxAgreement {
  /** Shares of the candidate's and of the reference's boxes that have a partner; absent where there is no box. */
  readonly precision?: number;
  readonly recall?: number;
  /** Of the matched boxes. */
  readonly meanIoU?: number;
  /** Mean absolute difference of the scores of matched boxes. */
  readonly meanScoreGap?: number;
  readonly matched: number;
  readonly candidates: number;
  readonly references: number;
  readonly scoreThreshold: number;
}

export class BoxAgreementMeter {
  #matched = 0;
  #candidates = 0;
  #references = 0;
  #iou = 0;
  #gap = 0;

  constructor(private readonly scoreThreshold: number) {}

  add(candidates: readonly Detection[], references: readonly Detection[]): void {
    const sure = candidates.filter(({ score }) => score >= this.scoreThreshold).sort((a, b) => b.score - a.score);
    const free = new Set(references.filter(({ score }) => score >= this.scoreThreshold));
    this.#candidates += sure.length;
    this.#references += free.size;
    for (const candidate of sure) {
      let best: Detection | undefined;
      let bestIou = IOU;
      for (const reference of free) {
        if (reference.classId !== candidate.classId) continue;
        const iou = intersectionOverUnion(candidate.box, reference.box);
        if (iou >= bestIou) {
          best = reference;
          bestIou = iou;
        }
      }
      if (!best) continue;
      free.delete(best);
      this.#matched++;
      this.#iou += bestIou;
      this.#gap += Math.abs(candidate.score - best.score);
    }
  }

  result(): BoxAgreement {
    const [matched, candidates, references] = [this.#matched, this.#candidates, this.#references];
    return {
      ...(candidates > 0 && { precision: matched / candidates }),
      ...(references > 0 && { recall: matched / references }),
      ...(matched > 0 && { meanIoU: this.#iou / matched, meanScoreGap: this.#gap / matched }),
      matched,
      candidates,
      references,
      scoreThreshold: this.scoreThreshold,
    };
  }
}

function intersectionOverUnion(a: Detection["box"], b: Detection["box"]): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (a[2] * a[3] + b[2] * b[3] - width * height);
}
