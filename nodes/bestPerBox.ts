import type { Detection } from "./ports.ts";

/** For eyes: of several classes that share one box (as evaluations keep them) the surest alone, surest first. */
export function bestPerBox<T extends Pick<Detection, "score" | "box">>(detections: readonly T[]): T[] {
  const best = new Map<string, T>();
  for (const detection of [...detections].sort((a, b) => b.score - a.score)) {
    const key = detection.box.join();
    if (!best.has(key)) best.set(key, detection);
  }
  return [...best.values()];
}
