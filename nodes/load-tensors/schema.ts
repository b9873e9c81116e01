import { z } from "zod";
import { defineNode } from "../define.ts";

export const loadTensors = defineNode({
  type: "load-tensors",
  version: 1,
  title: "Load tensors",
  category: "Source",
  icon: "text",
  doc: "Reads what is no picture, token ids for one: a JSON-lines file of named arrays of numbers, one example a line.",
  params: z.strictObject({
    source: z.string().default("").meta({
      title: "Tensors",
      help: 'JSON lines, one example each: {"input_ids": [101, 2023, 102]}. Arrays of numbers are tensors, to which a batch axis of one is added; other fields are passed over. Beside input_ids, attention_mask (ones) and token_type_ids (zeros) may be left out.',
      source: "file",
    }),
    setApart: z.int().min(0).max(4096).default(64).meta({
      title: "Set apart",
      unit: "examples",
      help: "They go to calibration, spread over the file, at most half of it; the others go to tensors, so that nothing is judged on what it was tuned on. 0: all go to both.",
    }),
  }),
  inputs: {},
  outputs: {
    tensors: { kind: "tensors", doc: "The examples to judge by, in the order of the file." },
    calibration: { kind: "tensors", doc: "The examples set apart: for calibrate and quantize." },
    report: { kind: "report", doc: "How many examples there are, and each tensor's type and sizes." },
  },
  effects: "pure",
  resources: ["io"],
  migrations: {},
});
