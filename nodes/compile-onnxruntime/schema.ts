import { z } from "zod";
import { defineNode } from "../define.ts";

export const compileOnnxruntime = defineNode({
  type: "compile-onnxruntime",
  version: 1,
  title: "ONNX Runtime",
  category: "Compile",
  icon: "cpu",
  doc: "Lets ONNX Runtime optimise the graph ahead of time, so that a session opens faster and shows what it fused.",
  params: z.strictObject({
    level: z.enum(["basic", "extended", "all"]).default("extended").meta({
      title: "Level",
      help: "basic keeps to ONNX operators; extended fuses into ONNX Runtime's own; all also lays memory out for this very CPU.",
    }),
  }),
  inputs: { model: { kinds: ["model"], doc: "What to optimise." } },
  outputs: {
    model: { kind: "model", doc: "For ONNX Runtime only, above level basic." },
    report: { kind: "report", doc: "Nodes before and after, what was fused, where the file holds." },
  },
  effects: "builds",
  resources: ["cpu"],
  usesTarget: true,
  migrations: {},
});
