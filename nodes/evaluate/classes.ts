/**
 * Which label class a detection's class is. Names decide where the labels have names that the model knows too (a COCO
 * model against labels of people alone); ids where either side has none.
 */
import type { ImagesIndex } from "../imagesIndex.ts";
import type { Detection } from "../ports.ts";

export interface ClassMap {
  /** The detections with the labels' class ids; those of classes that the labels lack are left out. */
  readonly toLabels: (detections: readonly Detection[]) => Detection[];
  /** Name of a label class: the labels', else the detections' seen so far, else `class 7`. */
  readonly nameOf: (classId: number) => string;
}

export function mapClasses({ classes }: ImagesIndex): ClassMap {
  const seen = new Map<number, string>();
  const ids = new Map(classes?.map((name, id) => [name, id]));
  return {
    toLabels: (detections) => {
      const mapped: Detection[] = [];
      for (const detection of detections) {
        seen.set(detection.classId, detection.class);
        const unnamed = ids.size === 0 || detection.class === `class ${detection.classId}`;
        const classId = unnamed ? detection.classId : ids.get(detection.class);
        if (classId !== undefined) mapped.push(classId === detection.classId ? detection : { ...detection, classId });
      }
      return mapped;
    },
    nameOf: (classId) => classes?.[classId] ?? seen.get(classId) ?? `class ${classId}`,
  };
}
