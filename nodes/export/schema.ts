import { z } from "zod";
import { defineNode } from "../define.ts";

const exportNode = defineNode({
  type: "export",
  version: 1,
  title: "Export",
  category: "Report",
  icon: "package",
  doc: "Writes the model, the settings of its preprocess and the reports to a folder that can be deployed as it is.",
  params: z.strictObject({
    name: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9._-]{0,63}$/i,
        "Letters, digits, dot, dash and underscore; it starts with one of the first two.",
      )
      .default("model")
      .meta({ title: "Name", help: "The folder is exports/NAME in the workspace; what was there is replaced." }),
  }),
  inputs: {
    model: {
      kinds: ["model", "engine"],
      optional: true,
      doc: "What to deploy. Of a compiler that made a build kit instead of an engine, the kit is written.",
    },
    settings: { kinds: ["settings"], optional: true, doc: "Of the preprocess that feeds it." },
    calibration: {
      kinds: ["calibration"],
      optional: true,
      doc: "Its ranges, written as a table for TensorRT, for ONNX Runtime's tools, and as it is.",
    },
    report: { kinds: ["report"], many: true, doc: "What was measured about it." },
  },
  outputs: {},
  effects: "exports",
  resources: ["io"],
  check: (_params, { wired }) =>
    wired.model?.length === 0
      ? [
          {
            code: "missing-input",
            severity: "error",
            portId: "model",
            message: "Export needs a model or an engine.",
            fix: "Wire one in, for example from Load model.",
          },
        ]
      : [],
  migrations: {},
});

// Named after its type, as every schema is, though the word is reserved where names are declared.
export { exportNode as export };
