import type { Graph, Model } from "../../onnx/ir/graph.ts";
import type { RunContext } from "../context.ts";
import { UserError } from "../context.ts";
import { implementNode } from "../define.ts";
import { compileOnnxruntime } from "./schema.ts";

type Level = "basic" | "extended" | "all";

export const run = implementNode(compileOnnxruntime, async (ctx, { model }, { level }) => {
  checkTarget(ctx, level);
  const before = await ctx.artifacts.openModel(model);
  const compiled = await ctx.runner.optimize(model, level);
  const after = await ctx.artifacts.openModel(compiled);
  const [opsBefore, opsAfter] = [operators(before), operators(after)];
  const warnings = [...notices(level, after)];
  for (const warning of warnings) ctx.warn(warning);
  const report = await ctx.artifacts.report({
    kind: "compile-onnxruntime",
    version: 1,
    provenance: "computed",
    target: ctx.target.id,
    runtime: ctx.runner.runtime,
    level,
    nodesBefore: total(opsBefore),
    nodesAfter: total(opsAfter),
    opsBefore,
    opsAfter,
    fused: Object.fromEntries(Object.entries(opsAfter).filter(([op]) => !(op in opsBefore))),
    bytesBefore: model.size,
    bytesAfter: compiled.size,
    warnings,
  });
  return { model: compiled, report };
});

function checkTarget({ target }: RunContext, level: Level): void {
  if (target.runtime === "tensorrt") {
    throw new UserError(
      "other-runtime",
      `${target.name} runs TensorRT, which does not read ONNX Runtime's operators`,
      "Use compile-tensorrt for this target.",
    );
  }
  if (level === "all" && target.access !== "local") {
    throw new UserError(
      "other-cpu",
      `level all lays memory out for the CPU of this machine, which is not that of ${target.name}`,
      "Set level = extended, or run this on the target itself.",
    );
  }
}

function* notices(level: Level, model: Model): Generator<string> {
  if (level === "all") yield "the file holds for this CPU only: build it again on every other kind";
  const own = [...model.opsetImports.keys()].filter((domain) => domain.startsWith("com.microsoft"));
  const foreign = [...graphs(model.graph)].some((graph) => graph.nodes.some((node) => own.includes(node.domain)));
  if (foreign) yield "the file has ONNX Runtime's own operators: no other runtime reads it, TensorRT neither";
}

/** How often each operator occurs, subgraphs included; those outside ONNX with their domain. */
function operators(model: Model): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const graph of graphs(model.graph)) {
    for (const { domain, opType } of graph.nodes) {
      const name = domain === "" || domain === "ai.onnx" ? opType : `${domain}.${opType}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
}

function* graphs(graph: Graph): Generator<Graph> {
  yield graph;
  for (const node of graph.nodes) for (const inner of node.subgraphs) yield* graphs(inner);
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
