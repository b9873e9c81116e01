import { z } from "zod";
import { defineNode } from "../define.ts";

export const agreement = defineNode({
  type: "agreement",
  version: 1,
  title: "Agreement",
  category: "Report",
  icon: "equal-approximately",
  doc: "How close a changed model's outputs are to the original's on the same frames. It needs no labels.",
  params: z.strictObject({}),
  inputs: {
    candidate: { kinds: ["tensors"], doc: "Outputs of the changed model." },
    reference: { kinds: ["tensors"], doc: "Outputs of the original, for the same frames." },
  },
  outputs: { report: { kind: "report", doc: "SQNR, cosine and largest difference of each output." } },
  effects: "pure",
  resources: ["cpu"],
  migrations: {},
});
