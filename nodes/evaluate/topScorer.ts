/** Top-1 and top-5 of a classifier: the share of images whose label is the first, or among the first five, guesses. */
import type { ImageLabel } from "../imagesIndex.ts";
import type { Detection } from "../ports.ts";

export class TopScorer {
  #images = 0;
  #first = 0;
  #five = 0;

  /** Images without a label are left out; of several labels any one counts. */
  add(labels: readonly ImageLabel[], guesses: readonly Detection[]): void {
    if (labels.length === 0) return;
    const right = new Set(labels.map(({ classId }) => classId));
    const ranked = [...guesses].sort((a, b) => b.score - a.score).slice(0, 5);
    this.#images++;
    if (ranked[0] && right.has(ranked[0].classId)) this.#first++;
    if (ranked.some(({ classId }) => right.has(classId))) this.#five++;
  }

  result(): { readonly top1?: number; readonly top5?: number } {
    return this.#images > 0 ? { top1: this.#first / this.#images, top5: this.#five / this.#images } : {};
  }
}
