import { z } from "zod";
import { CALIBRATION_METHODS } from "../../onnx/passes/calibrate/table.ts";
import { defineNode } from "../define.ts";

export const calibrate = defineNode({
  type: "calibrate",
  version: 4,
  title: "Calibrate",
  category: "Optimise",
  icon: "sliders-horizontal",
  doc: "Runs the float model on images and learns the range of each activation, with memory that does not grow.",
  params: z.strictObject({
    method: z
      .enum(["auto", ...CALIBRATION_METHODS])
      .default("auto")
      .meta({
        title: "Method",
        help: "auto: keeps the ranges by each method, and quantize measures which serves this model best where tensors are wired into it, else mse. mse: the least squared error behind the activation function. lp-norm: the same with outliers counting for less. minmax: all that was seen. percentile: 99.99 % of it. entropy: the least information lost (KL). moving-average: the mean image's range.",
      }),
    table: z.string().default("").meta({
      title: "Ranges made elsewhere",
      help: "A TensorRT calibration cache, ONNX Runtime's calibration.json, or an export's. Its ranges replace the method's where it names a tensor; the images still tell what they cost.",
      source: "file",
      optional: true,
    }),
    threads: z.int().min(0).max(256).default(0).meta({ title: "Threads", help: "0 uses every core." }),
  }),
  inputs: {
    model: { kinds: ["model"], doc: "The float model that will be quantized." },
    tensors: { kinds: ["tensors"], doc: "Preprocessed images like those the model will see; 32 serve well." },
    before: {
      kinds: ["calibration"],
      optional: true,
      doc: "Of this model on other images, to go on from: as if all had come here.",
    },
  },
  outputs: {
    calibration: { kind: "calibration", doc: "Range, histogram and moments of every tensor a quantizer may ask for." },
    report: { kind: "report", doc: "Histograms with their clips, and whether the images were enough." },
  },
  effects: "infers",
  resources: ["cpu"],
  migrations: {
    1: { name: "ranges-on-the-grid", up: (params) => ({ ...params }) },
    2: { name: "sampled-histograms", up: (params) => ({ ...params }) },
    3: { name: "exact-means", up: (params) => ({ ...params }) },
  },
});
