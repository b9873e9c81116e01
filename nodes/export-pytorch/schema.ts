import { z } from "zod";
import { defineNode } from "../define.ts";

/** Detectors that Ultralytics ships a description of, by the sizes it has. A closed list: a name becomes a file there. */
const FAMILIES = {
  yolov5: "nsmlx",
  yolov8: "nsmlx",
  yolov9: "tsmce",
  yolov10: "nsmblx",
  yolo11: "nsmlx",
  yolo12: "nsmlx",
  yolo26: "nsmlx",
} as const;
const ARCHITECTURES = Object.entries(FAMILIES).flatMap(([family, sizes]) => [...sizes].map((size) => family + size));

const side = z.int().min(32).max(2048).multipleOf(32).default(640);

export const exportPytorch = defineNode({
  type: "export-pytorch",
  version: 1,
  title: "Export PyTorch",
  category: "Source",
  icon: "file-output",
  doc: "A YOLO from PyTorch to ONNX with Ultralytics' own exporter (AGPL-3.0). A checkpoint is read as tensors alone: nothing in it runs.",
  params: z.strictObject({
    architecture: z.enum(ARCHITECTURES).default("yolov10n").meta({
      title: "Architecture",
      help: "One of the descriptions that ship with Ultralytics; weights must be of it.",
    }),
    weights: z.string().default("").meta({
      title: "Weights",
      help: "A checkpoint (.pt) as Ultralytics saves it: a file of the workspace or a name of the catalogue. Empty: random weights, with which accuracy means nothing.",
      source: "file",
      optional: true,
    }),
    sha256: z
      .string()
      .regex(/^([0-9a-f]{64})?$/)
      .default("")
      .meta({ title: "SHA-256", help: "Of the weights: required for an address, checked for a file too where given." }),
    width: side.meta({ title: "Width", unit: "px", help: "Of the fixed input; a multiple of 32." }),
    height: side.meta({ title: "Height", unit: "px" }),
    opset: z.int().min(13).max(20).default(17).meta({ title: "Opset", help: "Version of ONNX's operators." }),
  }),
  inputs: {},
  outputs: {
    model: { kind: "model", doc: "ONNX with the input fixed; boxes are final where the architecture is end to end." },
    report: { kind: "report", doc: "Exporter, weights, parameters, classes." },
  },
  effects: "builds",
  resources: ["cpu"],
  requires: () => ["ultralytics"],
  migrations: {},
});
