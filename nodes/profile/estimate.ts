/** Latency on a device nobody has at hand. Each figure carries its interval; what cannot be known is left out. */
import { modelCost } from "../../onnx/cost.ts";
import { inferShapes } from "../../onnx/infer.ts";
import { estimateLatency, estimateMemory } from "../../targets/latency.ts";
import type { RunContext } from "../context.ts";
import { UserError } from "../context.ts";
import type { ArtifactRef } from "../ports.ts";
import type { Figures } from "./run.ts";

const NAMED = 3;

export async function estimate(ctx: RunContext, ref: ArtifactRef<"model" | "engine">): Promise<Figures> {
  const model = await ctx.artifacts.openModel(onnx(ref, ctx.target.name));
  for (const { name, shape } of model.graph.feeds) {
    if (shape?.every((dim) => typeof dim === "number")) continue;
    throw new UserError(
      "dynamic-input",
      `the input "${name}" has no fixed shape, and how long it takes depends on it`,
      `Freeze it in load-model: inputShapes = {"${name}": [..]}, with the sizes you deploy.`,
    );
  }
  inferShapes(model);
  const cost = modelCost(model);
  const { p50Ms, interval, perOp, fixedMs, basis, unknown } = estimateLatency(cost, ctx.target);
  if (unknown.length > 0) {
    const names = unknown.slice(0, NAMED).map((node) => node.name || node.opType);
    ctx.warn(`${unknown.length} nodes of unknown cost count as next to nothing: ${names.join(", ")}`);
  }
  const [low, high] = interval;
  return {
    provenance: "estimated",
    p50Ms,
    throughput: 1000 / p50Ms,
    interval: { p50Ms: [low, high], throughput: [1000 / high, 1000 / low] },
    perOp: perOp.map(({ name, opType, ms, bound, precision }) => ({ node: name, opType, ms, bound, precision })),
    fixedMs,
    memory: estimateMemory(cost, ctx.target),
    runtime: ctx.target.runtime,
    basis,
    unknownNodes: unknown.length,
  };
}

function onnx(ref: ArtifactRef<"model" | "engine">, target: string): ArtifactRef<"model"> {
  if (ref.kind === "model") return { ...ref, kind: "model" };
  throw new UserError(
    "engine-estimate",
    `${target} is not at hand to time an engine, and an engine tells nothing to estimate from`,
    "Wire the ONNX model that the engine was built from.",
  );
}
