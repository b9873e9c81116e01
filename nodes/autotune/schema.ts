import { z } from "zod";
import { OBJECTIVES } from "../../onnx/passes/place/front.ts";
import { LAYOUTS } from "../../onnx/passes/quantize/layout.ts";
import { type Diagnostic, defineNode } from "../define.ts";

/** The word that `take` begins with; integers name their layers behind it. */
export const TAKEN = ["original", "float", "weights", "int8"] as const;

export const autotune = defineNode({
  type: "autotune",
  version: 4,
  title: "Autotune",
  category: "Optimise",
  icon: "sliders-horizontal",
  doc: "Integers where they pay: measures on the target which layers gain by INT8 and what it costs the outputs, and takes the best within a limit.",
  params: z.strictObject({
    objective: z.enum(OBJECTIVES).default("fastest").meta({
      title: "Objective",
      help: "fastest: as fast as possible within the loss. truest: as true as possible within the time.",
    }),
    maxLoss: z.number().min(0).max(100).default(0.5).meta({
      title: "Loss at most",
      unit: "%",
      help: "Of mAP where labelled images are wired; of a detector without labels, of the mAP50 expected if its own boxes are right as often as their scores say; of any other model, noise as a share of the outputs' energy (1 % is 20 dB). A loss counts by what the frames show for certain: less its standard error.",
    }),
    maxMs: z.number().positive().max(1e6).default(5).meta({
      title: "Time at most",
      unit: "ms",
      help: "Of one inference, CPU time on one thread; for the objective truest.",
    }),
    layout: z.enum(LAYOUTS).default("onnxruntime-x86").meta({
      title: "Layout",
      help: "What the target's runtime wants of integers. tensorrt needs a target with TensorRT: its times are then estimated.",
    }),
    take: z.array(z.string()).default([]).meta({
      title: "Take",
      help: "A point of the front: a click on it sets this, and nothing is searched. Empty searches.",
    }),
  }),
  inputs: {
    model: { kinds: ["model"], doc: "The float model." },
    tensors: { kinds: ["tensors"], doc: "Preprocessed images to calibrate with and to judge by; 32 serve well." },
    settings: {
      kinds: ["settings"],
      optional: true,
      doc: "Of the preprocess: how to prepare the labelled images, where they are others than those of tensors.",
    },
    images: { kinds: ["images"], optional: true, doc: "Labelled images: losses are then those of mAP." },
  },
  outputs: {
    model: { kind: "model", doc: "The chosen form; never slower than the given model." },
    report: { kind: "report", doc: "The front of speed, size and truth, all of it measured, and the chosen point." },
  },
  effects: "measures",
  resources: ["device"],
  usesTarget: true,
  check: ({ take }) => {
    const found: Omit<Diagnostic, "nodeId">[] = [];
    const [form] = take;
    if (form !== undefined && !TAKEN.some((name) => name === form)) {
      found.push({
        code: "bad-take",
        severity: "error",
        message: `take begins with "${form}", which is none of ${TAKEN.join(", ")}.`,
        fix: "Clear it, run, and click a point of the front.",
      });
    }
    return found;
  },
  migrations: {
    1: { name: "hard-frames-decide", up: (params) => ({ ...params }) },
    2: { name: "floats-stay-floats", up: (params) => ({ ...params }) },
    3: { name: "constants-in-the-reference", up: (params) => ({ ...params }) },
  },
});
