import { z } from "zod";
import { defineNode } from "../define.ts";

export const profile = defineNode({
  type: "profile",
  version: 1,
  title: "Profile",
  category: "Report",
  icon: "gauge",
  doc: "Times inference on the target: percentiles, throughput, memory, each operator. Estimates where no device is at hand.",
  params: z.strictObject({
    warmup: z.int().min(0).max(10_000).default(10).meta({ title: "Warm-up", unit: "runs", help: "Not counted." }),
    iterations: z.int().min(1).max(100_000).default(200).meta({ title: "Iterations", unit: "runs" }),
    threads: z.int().min(0).max(256).default(1).meta({
      title: "Threads",
      help: "1 compares between machines and holds still on a busy one; 0 uses every core.",
    }),
    openSize: z.int().min(0).max(65_536).default(0).meta({
      title: "Open dimensions",
      help: "Size of the dimensions that the model leaves open (a text's length), behind a batch of one. 0: such a model is refused.",
    }),
    maxSeconds: z.number().positive().max(3600).default(30).meta({
      title: "Time limit",
      unit: "s",
      help: "Ends the timed runs early; the report says how many were made.",
    }),
  }),
  inputs: { model: { kinds: ["model", "engine"], doc: "What to time." } },
  outputs: { report: { kind: "report", doc: "Latency, throughput, size, memory, time per operator, conditions." } },
  effects: "measures",
  resources: ["device"],
  usesTarget: true,
  migrations: {},
});
