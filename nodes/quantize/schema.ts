import { z } from "zod";
import { FORMATS } from "../../onnx/passes/quantize/format.ts";
import { LAYOUTS } from "../../onnx/passes/quantize/layout.ts";
import { type Diagnostic, defineNode } from "../define.ts";

export const BF16_NEEDS_TENSORRT = {
  message: "ONNX Runtime's CPU has no BF16 form of Conv, MatMul or Add.",
  fix: "Choose the format fp16; or the layout tensorrt, for a GPU of compute capability 8.0 or newer.",
} as const;

export const quantize = defineNode({
  type: "quantize",
  version: 6,
  title: "Quantize",
  category: "Optimise",
  icon: "binary",
  doc: "Writes a lower precision into the model: INT8 for what multiplies, INT4 weights, FP16, or BF16.",
  params: z.strictObject({
    format: z.enum(FORMATS).default("int8").meta({
      title: "Format",
      help: "int8: calibrated, for speed and size. int8-dynamic: ranges taken at each run, no calibration. int4: weights alone, smallest. fp16: half precision; what overflows on the wired tensors stays in float. bf16: half the size with the range of float, for TensorRT on compute capability 8.0 and newer; its figures are simulated.",
    }),
    layout: z.enum(LAYOUTS).default("onnxruntime-x86").meta({
      title: "Layout",
      help: "What the runtime wants: onnxruntime-x86 has unsigned activations and an int32 bias, tensorrt signed ones and a float bias.",
    }),
    keepFloat: z
      .array(z.string())
      .default([])
      .meta({ title: "Keep in float", help: "Names of layers that stay as they are; click one in the report." }),
    minSqnrDb: z.number().min(0).max(100).default(10).meta({
      title: "Least SQNR",
      unit: "dB",
      help: "A layer that would keep less than this by its own quantization stays in float (INT4: at 8 bits). With tensors wired, so do the worst layers until the outputs keep it too. 0 quantizes every layer.",
    }),
    blockSize: z
      .union([z.literal(16), z.literal(32), z.literal(64), z.literal(128)])
      .default(32)
      .meta({ title: "Block", unit: "weights", help: "INT4: weights under one scale. Smaller is truer and larger." }),
    maxMb: z.number().min(0).max(1_000_000).default(0).meta({
      title: "Largest file",
      unit: "MB",
      help: "INT4: layers that lose most at 4 bits take 8, as far as the file stays below this; no floor decides then. Judged on the tensors where they are wired, by the weights alone else. 0 sets no size.",
    }),
    io: z.enum(["float32", "float16"]).default("float32").meta({
      title: "Inputs and outputs",
      help: "FP16: whether the model's inputs and outputs stay in float, so that nothing around it changes.",
    }),
  }),
  inputs: {
    model: { kinds: ["model"], doc: "The float model." },
    calibration: { kinds: ["calibration"], optional: true, doc: "Ranges of its activations; int8 needs them." },
    tensors: {
      kinds: ["tensors"],
      optional: true,
      doc: "Preprocessed images: ranges and layers are then chosen by what the outputs keep, and errors are measured, not predicted.",
    },
  },
  outputs: {
    model: { kind: "model", doc: "The quantized model." },
    report: { kind: "report", doc: "Size, SQNR of the outputs and of each layer, what stays in float and why." },
  },
  effects: "infers",
  resources: ["cpu"],
  check: ({ format, layout }, { wired }) => {
    const found: Omit<Diagnostic, "nodeId">[] = [];
    if (format === "int8" && !wired.calibration?.length) {
      found.push({
        code: "no-calibration",
        severity: "error",
        portId: "calibration",
        message: "Static INT8 needs the ranges of the activations.",
        fix: "Wire a calibrate node into calibration, or choose the format int8-dynamic.",
      });
    }
    if (format === "int8-dynamic" && layout === "tensorrt") {
      found.push({
        code: "dynamic-tensorrt",
        severity: "error",
        message: "TensorRT has no dynamic quantization.",
        fix: "Choose the format int8 with a calibrate node, or the layout onnxruntime-x86.",
      });
    }
    if (format === "bf16" && layout !== "tensorrt") {
      found.push({ code: "bf16-onnxruntime", severity: "error", ...BF16_NEEDS_TENSORRT });
    }
    return found;
  },
  migrations: {
    1: { name: "steps-by-evidence", up: (params) => ({ ...params }) },
    2: { name: "hard-frames-decide", up: (params) => ({ ...params }) },
    3: { name: "floats-stay-floats", up: (params) => ({ ...params }) },
    4: { name: "zero-points", up: (params) => ({ ...params }) },
    5: { name: "slow-layers-stay-float", up: (params) => ({ ...params }) },
  },
});
