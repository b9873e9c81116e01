import { z } from "zod";
import { defineNode } from "../define.ts";

const dims = z.array(z.int().positive()).min(1).max(8);

export const compileTensorrt = defineNode({
  type: "compile-tensorrt",
  version: 1,
  title: "TensorRT",
  category: "Compile",
  icon: "zap",
  doc: "Builds TensorRT engines. Precision is what the ONNX says: quantize first, with layout tensorrt.",
  params: z.strictObject({
    computeCapabilities: z
      .array(z.string().regex(/^\d{1,2}\.\d$/, "For example 8.6."))
      .max(8)
      .default([])
      .meta({
        title: "Compute capabilities",
        help: "NVIDIA GPU generations, one engine each: 8.6 is RTX 30, 8.9 RTX 40. Empty takes the target's own, and 8.6 where this machine has no known GPU; others than the target's are evidence only.",
      }),
    shapes: z
      .record(z.string(), z.strictObject({ min: dims, opt: dims, max: dims }))
      .default({})
      .meta({ title: "Shapes", help: "Of dynamic inputs, by name: smallest, most usual, largest." }),
    builder: z.enum(["auto", "trtexec", "tensorrt-rtx", "kit"]).default("auto").meta({
      title: "Builder",
      help: "auto takes this machine's trtexec, else TensorRT for RTX, which needs no GPU. kit gives the ONNX and the command to build it elsewhere.",
    }),
  }),
  inputs: { model: { kinds: ["model"], doc: "ONNX, in the precision it is to run in." } },
  outputs: {
    engine: { kind: "engine", doc: "One file, or a folder with one for each compute capability; none of a kit." },
    report: { kind: "report", doc: "Fused layers with their precision, size and time of each engine." },
  },
  effects: "builds",
  resources: ["cpu"],
  requires: ({ builder }) => (builder === "kit" ? [] : [builder === "auto" ? "tensorrt" : builder]),
  migrations: {},
});

export type CompileTensorrtParams = z.output<typeof compileTensorrt.params>;
