import { z } from "zod";
import { defineNode } from "../define.ts";

export const loadModel = defineNode({
  type: "load-model",
  version: 1,
  title: "Load model",
  category: "Source",
  icon: "box",
  doc: "Opens an ONNX file, with its external data where it has any, and says what will hurt on a device.",
  params: z.strictObject({
    source: z.string().default("").meta({
      title: "Source",
      help: "A file in the workspace, builtin:NAME, a name of the catalogue (docs/models.md), or an https address with its sha256.",
      source: "model",
    }),
    sha256: z
      .string()
      .regex(/^([0-9a-f]{64})?$/)
      .default("")
      .meta({ title: "SHA-256", help: "Required for an address; checked for a file too where given." }),
    inputShapes: z
      .record(z.string(), z.array(z.int().positive()))
      .default({})
      .meta({ title: "Input shapes", help: "Freezes dynamic dimensions: an input's name to its shape." }),
  }),
  inputs: {},
  outputs: {
    model: { kind: "model", doc: "The model as read." },
    settings: {
      kind: "settings",
      doc: "What it wants of preprocess and nms; only of a model that ships or is in the catalogue.",
    },
    report: { kind: "report", doc: "Inputs, outputs, operators, parameters, multiply-adds, warnings." },
  },
  effects: "pure",
  resources: ["io"],
  migrations: {},
});
