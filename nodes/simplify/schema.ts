import { z } from "zod";
import { NEWEST_OPSET } from "../../onnx/passes/upgradeOpset/opsets.ts";
import { defineNode } from "../define.ts";

export const simplify = defineNode({
  type: "simplify",
  version: 3,
  title: "Simplify",
  category: "Optimise",
  icon: "shrink",
  doc: "Folds, merges and fuses into fewer standard ONNX operators that compute the same, and checks that they do.",
  params: z.strictObject({
    opset: z.int().min(0).max(NEWEST_OPSET).default(0).meta({
      title: "Operator set",
      help: "Writes the model in this operator set first, where it is older: 17 knows LayerNormalization, 20 Gelu, 23 Attention. 0 leaves it.",
    }),
  }),
  inputs: {
    model: { kinds: ["model"], doc: "The model to simplify." },
    tensors: { kinds: ["tensors"], optional: true, doc: "Inputs to compare on; without them values are made up." },
  },
  outputs: {
    model: { kind: "model", doc: "The same function in fewer nodes." },
    report: { kind: "report", doc: "Each rewrite named and counted, operators before and after, the difference." },
  },
  effects: "pure",
  resources: ["cpu"],
  migrations: {
    1: { name: "transposes-through-regions", up: (params) => ({ ...params }) },
    2: { name: "only-what-computes-the-same", up: (params) => ({ ...params }) },
  },
});
