import { z } from "zod";
import { defineNode } from "../define.ts";

export const simplify = defineNode({
  type: "simplify",
  version: 1,
  title: "Simplify",
  category: "Optimise",
  icon: "shrink",
  doc: "Folds, merges and fuses into fewer standard ONNX operators that compute the same, and checks that they do.",
  params: z.strictObject({}),
  inputs: {
    model: { kinds: ["model"], doc: "The model to simplify." },
    tensors: { kinds: ["tensors"], optional: true, doc: "Inputs to compare on; without them noise is used." },
  },
  outputs: {
    model: { kind: "model", doc: "The same function in fewer nodes." },
    report: { kind: "report", doc: "Each rewrite named and counted, operators before and after, the difference." },
  },
  effects: "pure",
  resources: ["cpu"],
  migrations: {},
});
