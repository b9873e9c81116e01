import { z } from "zod";
import { defineNode } from "../define.ts";

export const compare = defineNode({
  type: "compare",
  version: 1,
  title: "Compare",
  category: "Report",
  icon: "scale",
  doc: "Puts the reports of two variants side by side: speed, size, memory, accuracy, and what makes them hard to compare.",
  params: z.strictObject({}),
  inputs: {
    baseline: { kinds: ["report"], many: true, doc: "Of the original: profile, evaluate." },
    candidate: { kinds: ["report"], many: true, doc: "Of the variant: profile, evaluate, agreement." },
  },
  outputs: { report: { kind: "report", doc: "One row a figure, with the ratio and which is better." } },
  effects: "pure",
  resources: ["cpu"],
  check: (_params, { wired }) =>
    wired.baseline?.length === 0 && wired.candidate?.length === 0
      ? [
          {
            code: "missing-input",
            severity: "error",
            portId: "baseline",
            message: "Compare has no report to compare.",
            fix: "Wire the reports of the original to baseline and those of the variant to candidate.",
          },
        ]
      : [],
  migrations: {},
});
