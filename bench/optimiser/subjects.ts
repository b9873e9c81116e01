/** The models that rows are about: where each is, what it wants of preprocess and NMS, and what it is judged on. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { memorySource } from "../../onnx/ir/tensor.ts";
import { readModel } from "../../onnx/serde.ts";
import { projectRoot } from "../../server/projectRoot.ts";
import { dataPath } from "../../test/support/data.ts";

export interface Subject {
  readonly id: string;
  readonly title: string;
  readonly path: string;
  readonly preprocess: Readonly<Record<string, unknown>>;
  /** Absent where there are no labels to score by. */
  readonly nms?: Readonly<Record<string, unknown>>;
}

export const CALIBRATION_IMAGES = 32;
/** SQNR is measured on the first of the evaluation images; mAP on all of them. */
export const HELD_BACK_IMAGES = 32;

export const calibrationImages = () => dataPath("coco/calibration");
export const evaluationImages = () => dataPath("coco/eval/images");
export const evaluationLabels = () => dataPath("coco/eval/labels");

export function detectors(): Readonly<Record<"fastestdet" | "yolox" | "rfb" | "person", Subject>> {
  return {
    fastestdet: {
      id: "fastestdet",
      title: "FastestDet",
      path: dataPath("models/fastestdet.onnx"),
      preprocess: { mode: "stretch", interpolation: "area", colorOrder: "BGR" },
      nms: { decoder: "fastestdet", scoreThreshold: 0.01 },
    },
    yolox: {
      id: "yolox",
      title: "YOLOX-Nano",
      path: dataPath("models/yolox-nano.onnx"),
      preprocess: { mode: "letterbox-topleft", colorOrder: "BGR", scale: 1 },
      nms: { decoder: "yolox", scoreThreshold: 0.01 },
    },
    rfb: {
      id: "rfb",
      title: "RFB-320",
      path: dataPath("models/rfb-320.onnx"),
      preprocess: { mode: "stretch", scale: 1, mean: [127, 127, 127], std: [128, 128, 128] },
    },
    person: {
      id: "person",
      title: "person-nano",
      path: join(projectRoot, "models/person-nano/person-nano.onnx"),
      preprocess: { mode: "letterbox-center", pad: 114 },
      nms: { decoder: "yolox", classes: "person", scoreThreshold: 0.01 },
    },
  };
}

export interface Input {
  readonly name: string;
  readonly dims: readonly number[];
}

/** What a caller must feed; an open dimension is 1. */
export async function inputsOf(path: string): Promise<readonly Input[]> {
  const { graph } = await readModel(memorySource(await readFile(path)));
  return graph.feeds.map(({ name, type }) => ({
    name,
    dims: (type?.shape ?? []).map((dim) => (typeof dim === "number" ? dim : 1)),
  }));
}

/** The only input of a detector, and its preprocess with the size of that input. */
export async function pictureInput({ path, preprocess }: Pick<Subject, "path" | "preprocess">) {
  const [input] = await inputsOf(path);
  if (!input) throw new Error(`${path} has no input`);
  const [, , height, width] = input.dims;
  return { input: input.name, settings: { width, height, ...preprocess } };
}

/** As `--set` of a pipeline that has these nodes. */
export function settingsOf(node: string, params: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [`${node}.${name}`, value]));
}
