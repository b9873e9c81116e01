/** One frame's outputs to detections: decode, suppress, map back to source pixels. Pure; its buffers are used again. */
import type { HostTensors } from "../../onnx/ir/hostTensor.ts";
import type { Candidates } from "../../onnx/kernels/candidates.ts";
import { nonMaxSuppression, softNonMaxSuppression } from "../../onnx/kernels/nms.ts";
import { COCO_CLASSES, parseClassNames } from "../cocoClasses.ts";
import { UserError } from "../context.ts";
import type { Detection, DetectionItem, FrameInfo, FrameTransform, TensorItem } from "../ports.ts";
import { type DecodePlan, planDecoding, toFloats } from "./decode.ts";
import type { NmsParams } from "./schema.ts";

const TOP = 5;

export type Detector = (item: TensorItem) => DetectionItem;

/** Throws what `planDecoding` throws; `no-transform` where the tensors do not come from a picture; `class-names`. */
export function createDetector(params: NmsParams): Detector {
  const names = parseClassNames(params.classes);
  // Where every weak box is wanted, so is every weak class: evaluations count both.
  const evaluating = params.scoreThreshold <= 0.1;
  const multiLabel = params.classesPerBox === "all" || (params.classesPerBox === "auto" && evaluating);
  let plan: DecodePlan | undefined;
  return ({ frame, transform, tensors }) => {
    const { id, width, height } = frame;
    if (params.decoder === "classify") {
      return { frame: id, width, height, detections: classify(tensors, frame, names) };
    }
    if (!transform) {
      throw new UserError(
        "no-transform",
        `The tensors of ${id} do not say where they lie in the picture.`,
        "Feed the model from a preprocess node.",
      );
    }
    plan ??= planDecoding(params.decoder, tensors, transform);
    const candidates = plan.decode(tensors, { threshold: params.scoreThreshold, multiLabel });
    const kept = suppress(candidates, plan, params);
    const nameOf = classNamer(names, plan.endToEnd ? undefined : plan.classes);
    const detections = Array.from(kept, (index) => detection(candidates, index, { frame, transform, nameOf }));
    // A box wholly outside of the picture has nothing to show.
    return { frame: id, width, height, detections: detections.filter(({ box }) => box[2] > 0 && box[3] > 0) };
  };
}

function suppress(candidates: Candidates, plan: DecodePlan, params: NmsParams): Int32Array {
  const { maxDetections, classAware, scoreThreshold } = params;
  if (plan.endToEnd) return nonMaxSuppression(candidates, { iouThreshold: 1, maxDetections, classAware: true });
  if (params.soft) {
    return softNonMaxSuppression(candidates, { sigma: params.softSigma, maxDetections, classAware, scoreThreshold });
  }
  return nonMaxSuppression(candidates, { iouThreshold: params.iouThreshold, maxDetections, classAware });
}

interface Placing {
  readonly frame: FrameInfo;
  readonly transform: FrameTransform;
  readonly nameOf: (classId: number) => string;
}

function detection(candidates: Candidates, index: number, { frame, transform, nameOf }: Placing): Detection {
  const classId = candidates.classes[index] ?? 0;
  const corner = (k: number) => candidates.boxes[index * 4 + k] ?? 0;
  const x1 = clip((corner(0) - transform.offsetX) / transform.scaleX, frame.width);
  const y1 = clip((corner(1) - transform.offsetY) / transform.scaleY, frame.height);
  const x2 = clip((corner(2) - transform.offsetX) / transform.scaleX, frame.width);
  const y2 = clip((corner(3) - transform.offsetY) / transform.scaleY, frame.height);
  return {
    classId,
    class: nameOf(classId),
    score: round(candidates.scores[index] ?? 0, 1e6),
    box: [round(x1, 1e3), round(y1, 1e3), round(x2 - x1, 1e3), round(y2 - y1, 1e3)],
  };
}

/** Class names by id; refuses a list whose length is not the model's (`classes`, where the outputs tell it). */
function classNamer(names: readonly string[] | undefined, classes: number | undefined): (classId: number) => string {
  if (names && classes !== undefined && names.length !== classes) {
    throw new UserError(
      "class-names",
      `${names.length} class names are given, but the model has ${classes} classes.`,
      "List every class in order, or leave class names empty.",
    );
  }
  const known = names ?? (classes === COCO_CLASSES.length || classes === undefined ? COCO_CLASSES : []);
  return (classId) => known[classId] ?? `class ${classId}`;
}

/** Softmax of the one output [1, classes] (kept as it is where it sums to 1 already), the best five as whole images. */
function classify(tensors: HostTensors, frame: FrameInfo, names: readonly string[] | undefined): Detection[] {
  const [entry, ...more] = Object.entries(tensors);
  const dims = entry?.[1].dims ?? [];
  if (!entry || more.length > 0 || dims.length !== 2 || dims[0] !== 1) {
    const got = Object.entries(tensors).map(([name, t]) => `${name} [${t.dims.join(",")}]`);
    throw new UserError(
      "wrong-decoder",
      `The decoder classify reads one output [1, classes], but the outputs are ${got.join(", ")}.`,
      "Set decoder to auto for a detector.",
    );
  }
  const values = toFloats(entry[1], entry[0]);
  const scores = isDistribution(values) ? values : softmax(values);
  const nameOf = classNamer(names, values.length);
  const best = Array.from(scores, (score, classId) => ({ score, classId }));
  best.sort((a, b) => b.score - a.score || a.classId - b.classId);
  return best.slice(0, TOP).map(({ score, classId }) => ({
    classId,
    class: nameOf(classId),
    score: round(score, 1e6),
    box: [0, 0, frame.width, frame.height],
  }));
}

function isDistribution(values: Float32Array): boolean {
  return values.every((x) => x >= 0) && Math.abs(values.reduce((sum, x) => sum + x, 0) - 1) < 1e-3;
}

function softmax(values: Float32Array): Float32Array {
  const max = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exps = values.map((x) => Math.exp(x - max));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((x) => x / sum);
}

function clip(x: number, limit: number): number {
  return Math.min(Math.max(x, 0), limit);
}

function round(x: number, perUnit: number): number {
  return Math.round(x * perUnit) / perUnit;
}
